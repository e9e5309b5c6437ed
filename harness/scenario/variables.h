// `vars`, `matrix` and `twins`: which runs one file expands to, and `${vars.x}` in its texts. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/scenario/document.h"
#include "harness/scenario/texts.h"

namespace breakwire::scenario {

struct Variable {
  json::Value value;
  Place defined;
  bool wrong = false;  // it has no value, which is reported where it is defined
};
using Variables = std::map<std::string, Variable>;

/// A member of `matrix`: the values that a variable takes in turn.
struct MatrixText {
  std::vector<json::Value> values;
};

/// A member of `twins`.
struct TwinText {
  std::string description;
  json::Value vars = json::object();
  std::vector<Name> fails;
  static const Fields<TwinText>& fields();
};

/// One run of the file: a combination of its matrix, or a twin.
struct Variant {
  std::string text;  // "delay=100ms,mode=fast"; empty without a matrix
  Variables variables;
  std::string twin;  // its name, or empty
  std::vector<Name> fails;
};

/// Every combination of the matrix (the last name varies fastest), then the twins in their order. A twin
/// takes the first combination, so that it costs one run and not one for each; its `vars` override that
/// combination and may so choose another.
std::vector<Variant> variants_of(const Document& document, ErrorList& errors);

/// Replaces every `${vars.x}` in the texts of `tree`: a text that is nothing else becomes the variable's
/// value, of whatever kind; inside a longer text only strings, numbers and booleans can stand. Other
/// placeholders and
/// `$${` are kept. Texts that could not be completed are added to `broken`.
void substitute(json::Value& tree, const Variables& variables, Document& document,
                std::vector<json::Span>& broken, ErrorList& errors);

/// The place of one placeholder in a text of the file, for its caret; of the text when it is not found there.
json::Span span_of_use(const json::Span& text, std::string_view name);

}  // namespace breakwire::scenario
