// Scenario files for tests of the program: the shop's storefront alone, or whatever stands in for it.
#pragma once

#include <string>

namespace breakwire::cli {

/// The storefront's ListSpecials needs nobody behind it.
inline const std::string storefront_alone =
    R"({ "run": ["${bin}/storefront", "--listen=${address.grpc}", "--orders=127.0.0.1:1"],
                    "ready": { "grpc_health": "readiness" } })";

struct ScenarioFile {
  std::string name = "good";
  std::string services = R"("storefront": )" + storefront_alone;
  std::string edge = "{}";
  std::string method = "shop.v1.StorefrontService/ListSpecials";
  std::string load = R"("rate": "50/s", "calls": 5)";
  std::string further{};  // sections, each with a comma behind it
  std::string expect = R"({ "check": "outcomes", "load": "browsers", "only": ["OK"] })";

  operator std::string() const {
    return R"({
  "version": 1,
  "name": ")" +
           name + R"(",
  "services": {
    )" + services +
           R"(
  },
  "edges": { "client->storefront": )" +
           edge + R"( },
  "load": {
    "browsers": { "via": "client->storefront", "deadline": "2s", )" +
           load + R"(,
                  "method": ")" +
           method + R"(" }
  },
  )" + further +
           R"("expect": [ )" + expect + R"( ]
}
)";
  }
};

/// A service that is a shell script in place of the storefront.
inline std::string script(const std::string& text, const std::string& ready = R"({ "within": "5s" })") {
  return R"("storefront": { "run": ["sh", "-c", ")" + text + R"("], "ready": )" + ready + " }";
}

}  // namespace breakwire::cli
