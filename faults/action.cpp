#include "faults/action.h"

namespace breakwire::faults {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

std::string name_of(const WireAction& action) {
  return std::visit(Overloaded{
                        [](const Forward&) { return "forward"; },
                        [](const Delay&) { return "delay"; },
                        [](const Hold&) { return "hold"; },
                        [](const EndCall&) { return "end_call"; },
                        [](const WithholdResponse&) { return "withhold_response"; },
                        [](const ResetStream&) { return "reset_stream"; },
                        [](const ResetConnection&) { return "reset_connection"; },
                        [](const CloseConnection&) { return "close_connection"; },
                        [](const Mute&) { return "mute"; },
                        [](const StopListening&) { return "stop_listening"; },
                        [](const Pace&) { return "pace"; },
                        [](const Swallow&) { return "swallow"; },
                        [](const Corrupt&) { return "corrupt"; },
                        [](const Isolate&) { return "isolate"; },
                        [](const SendGoaway&) { return "send_goaway"; },
                        [](const EditSettings&) { return "edit_settings"; },
                        [](const AnswerHttp&) { return "answer_http"; },
                        [](const DropTrailers&) { return "drop_trailers"; },
                        [](const EditFields&) { return "edit_fields"; },
                        [](const CutMessage&) { return "cut_message"; },
                    },
                    action);
}

std::string name_of(const ProcessAction& action) {
  return std::visit(Overloaded{
                        [](const Nothing&) { return "nothing"; },
                        [](const SendSignal&) { return "send_signal"; },
                        [](const KillTree&) { return "kill_tree"; },
                        [](const StopTree&) { return "stop_tree"; },
                        [](const ContinueTree&) { return "continue_tree"; },
                        [](const StartAgain&) { return "start_again"; },
                        [](const SetLimits&) { return "set_limits"; },
                        [](const RestoreLimits&) { return "restore_limits"; },
                        [](const Throttle&) { return "throttle"; },
                        [](const RunCommand&) { return "run_command"; },
                        [](const EndCommand&) { return "end_command"; },
                    },
                    action);
}

bool is_terminal(const WireAction& action) {
  return !std::holds_alternative<Forward>(action) && !std::holds_alternative<Delay>(action) &&
         !is_effect(action);
}

bool is_effect(const WireAction& action) {
  return std::holds_alternative<Pace>(action) || std::holds_alternative<Corrupt>(action) ||
         std::holds_alternative<EditFields>(action) || std::holds_alternative<EditSettings>(action) ||
         std::holds_alternative<Isolate>(action);
}

bool comes_later(const WireAction& action) {
  // What is said on HTTP/2 waits for the connection to speak it, and on another edge is never said.
  if (std::holds_alternative<SendGoaway>(action) || std::holds_alternative<EditSettings>(action)) return true;
  const auto* close = std::get_if<CloseConnection>(&action);
  return (close && close->after > Duration::zero()) || std::holds_alternative<Corrupt>(action);
}

}  // namespace breakwire::faults
