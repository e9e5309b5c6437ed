#include "faults/kinds/names.h"

namespace breakwire {

using namespace faults;

const std::vector<std::pair<std::string, Direction>>& EnumNames<Direction>::names() {
  static const std::vector<std::pair<std::string, Direction>> all{{"request", Direction::request},
                                                                  {"response", Direction::response}};
  return all;
}

const std::vector<std::pair<std::string, Connections>>& EnumNames<Connections>::names() {
  static const std::vector<std::pair<std::string, Connections>> all{
      {"existing", Connections::existing}, {"new", Connections::fresh}, {"all", Connections::all}};
  return all;
}

const std::vector<std::pair<std::string, Stage>>& EnumNames<Stage>::names() {
  static const std::vector<std::pair<std::string, Stage>> all{{"headers", Stage::headers},
                                                              {"request_message", Stage::request_message},
                                                              {"request_end", Stage::request_end},
                                                              {"response_headers", Stage::response_headers},
                                                              {"response_message", Stage::response_message},
                                                              {"response_end", Stage::response_end}};
  return all;
}

const std::vector<std::pair<std::string, Signal>>& EnumNames<Signal>::names() {
  static const std::vector<std::pair<std::string, Signal>> all{
      {"SIGTERM", Signal::terminate}, {"SIGINT", Signal::interrupt}, {"SIGHUP", Signal::hup},
      {"SIGQUIT", Signal::quit},      {"SIGKILL", Signal::kill},     {"SIGABRT", Signal::abort},
      {"SIGUSR1", Signal::usr1},      {"SIGUSR2", Signal::usr2},     {"SIGPIPE", Signal::pipe},
      {"SIGALRM", Signal::alarm}};
  return all;
}

}  // namespace breakwire
