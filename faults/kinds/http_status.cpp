// http_status: a call is answered by something in the middle that does not speak gRPC.
#include <map>

#include "faults/kinds/first_headers.h"
#include "faults/kinds/make_kind.h"
#include "faults/kinds/metadata_rules.h"

namespace breakwire::faults {
namespace {

constexpr size_t longest_body = 64 * 1024;  // every answered call whose client does not read keeps its own

class HttpStatus : public CallFault {
 public:
  unsigned status = 502;
  std::map<std::string, std::string> headers;
  std::optional<std::string> body;

  static const Fields<HttpStatus>& fields() {
    static const auto all =
        Fields<HttpStatus>()
            .optional("status", &HttpStatus::status, "The `:status`, from 200 to 599.")
            .optional("headers", &HttpStatus::headers,
                      "Further fields. `content-type` is text/html unless it is one of them.")
            .optional(
                "body", &HttpStatus::body,
                "The page, of at most 64 KiB. Left out: a line of HTML that shows the status; \"\": no DATA "
                "at all.")
            .rule(check_status)
            .rule(check_headers)
            .rule(check_body);
    return all;
  }

  WireAction decide(const WireEvent& event, const FaultState&, Rng&) const override {
    if (!kinds::at_first_headers(event)) return Forward{};
    AnswerHttp answer{
        .status = static_cast<int>(status), .fields = kinds::metadata_of(headers), .body = page()};
    if (!headers.contains("content-type")) {
      answer.fields.insert(answer.fields.begin(), {.name = "content-type", .value = "text/html"});
    }
    return answer;
  }

 private:
  std::string page() const {
    return body.value_or("<html><body><h1>" + std::to_string(status) + "</h1></body></html>\n");
  }

  static void check_status(const HttpStatus& fault, const json::Value& object, ErrorList& errors) {
    if (fault.status >= 200 && fault.status <= 599) return;
    errors.push_back(json::error_at(object.find("status")->span,
                                    "`status` " + std::to_string(fault.status) + " ends no call",
                                    "final statuses are 200 to 599; a proxy says 502, 503 or 504"));
  }
  static void check_headers(const HttpStatus&, const json::Value& object, ErrorList& errors) {
    const json::Value* written = object.find("headers");
    if (!written) return;
    for (const json::Member& member : written->members) {
      if (member.key == "grpc-status" || member.key == "grpc-message") {
        errors.push_back(json::error_at(
            member.key_span, "`" + member.key + "` is nothing that an HTTP proxy without gRPC says",
            "for an answer in gRPC use the kind `grpc_status`"));
      } else {
        kinds::check_field(member, errors);
      }
    }
  }
  static void check_body(const HttpStatus& fault, const json::Value& object, ErrorList& errors) {
    if (!fault.body || fault.body->size() <= longest_body) return;
    errors.push_back(json::error_at(object.find("body")->span,
                                    "`body` has " + std::to_string(fault.body->size()) + " bytes",
                                    "64 KiB are the most"));
  }
};

}  // namespace

FaultKind http_status_kind() {
  return make_kind<HttpStatus>({
      .name = "http_status",
      .summary = "Calls are answered with an HTTP status and a page, as by a load balancer without gRPC.",
      .details =
          "On the wire: the caller gets HEADERS with `:status` and `content-type: text/html`, `body` as "
          "DATA, and END_STREAM; no `grpc-status`. If its request was not complete, RST_STREAM(NO_ERROR) "
          "follows (RFC 9113 §8.1). The page waits for the caller's flow-control window like any other "
          "DATA. At stage `headers` nothing of the call reaches the service; at `response_headers` the "
          "service has worked, the page takes the place of its response, and its stream is reset with "
          "CANCEL unless it has finished.\n\n"
          "Peers see: the caller, a status by the HTTP status, since there is no other: 400 is INTERNAL, "
          "401 UNAUTHENTICATED, 403 PERMISSION_DENIED, 404 UNIMPLEMENTED, 429, 502, 503 and 504 "
          "UNAVAILABLE, and all else, 200 too, UNKNOWN. Known defect, profile `ccore-1.51`: with "
          "`\"status\": 200` and an empty `body` a client whose retries are on aborts, see "
          "`missing_trailers`.\n\n"
          "When it ends: calls pass as before; a page that has begun is finished.\n\n"
          "Sources: grpc/grpc doc/http-grpc-status-mapping.md; RFC 9113 §8.1; measured with gRPC 1.51.1.",
      .example =
          R"({ "id": "bad-gateway", "at": "1s", "for": "2s", "on": "orders->payments", "fault": "http_status", "with": { "status": 502, "headers": { "server": "lb/1.0" }, "body": "<html><h1>502 Bad Gateway</h1></html>" }, "match": { "method": "shop.v1.PaymentsService/*", "calls": { "percent": "30%" } } })",
      .stages = {Stage::headers, Stage::response_headers},
      .fidelity = "wire",
  });
}

}  // namespace breakwire::faults
