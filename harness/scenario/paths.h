// Paths as text; nothing looks at the file system. Pure.
#pragma once

#include <string>
#include <string_view>

namespace breakwire::scenario {

/// Without `.`, empty parts, and `..` where the folder before it is known: "a/../b/./c" is "b/c".
std::string normal(std::string_view path);

/// `path` as a file named `from` means it: absolute ones as they are, others from the folder of `from`.
std::string beside(std::string_view from, std::string_view path);

/// The file's name without folder and ending: "a/no-fault.json" is "no-fault".
std::string stem(std::string_view path);

}  // namespace breakwire::scenario
