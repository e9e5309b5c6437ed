#include "bench/subjects.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "faults/relay/port_reservation.h"
#include "harness/process/tcp_readiness.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
namespace process = breakwire::process;

uint16_t free_port() { return breakwire::relay::PortReservation().port(); }

void wait_for(uint16_t port, const std::string& name) {
  const auto result =
      process::wait_until_connectable("127.0.0.1", port, std::chrono::steady_clock::now() + 10s);
  if (result.outcome != process::Connectable::yes)
    throw std::runtime_error(name + " does not accept connections: " + result.last_error);
}

bool installed(const std::string& program) {
  for (const auto* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"}) {
    if (::access((folder + program).c_str(), X_OK) == 0) return true;
  }
  return ::access(program.c_str(), X_OK) == 0;
}

std::string haproxy(uint16_t port, uint16_t server, const char* mode, const char* protocol) {
  const auto at = [&](const char* what, uint16_t to) {
    return std::string("  ") + what + " 127.0.0.1:" + std::to_string(to) + protocol + "\n";
  };
  return std::string("global\n  nbthread 1\n  maxconn 5000\ndefaults\n  mode ") + mode +
         "\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n  option http-no-delay\n"
         "frontend f\n" +
         at("bind", port) + "  default_backend b\nbackend b\n" + at("server s", server);
}

std::string nginx(uint16_t port, uint16_t server, const std::string& place) {
  return "daemon off;\nmaster_process off;\npid " + place + "/nginx.pid;\nerror_log " + place +
         "/nginx.err;\nevents { worker_connections 5000; }\nhttp {\n  access_log off;\n"
         "  client_body_temp_path " +
         place + "/body;\n  proxy_temp_path " + place + "/proxy;\n  fastcgi_temp_path " + place +
         "/fastcgi;\n  uwsgi_temp_path " + place + "/uwsgi;\n  scgi_temp_path " + place +
         "/scgi;\n  keepalive_requests 100000000;\n  keepalive_timeout 1h;\n  http2_max_concurrent_streams "
         "1000;\n"
         "  client_max_body_size 0;\n  grpc_read_timeout 1h;\n"
         "  upstream s { server 127.0.0.1:" +
         std::to_string(server) +
         "; keepalive 64; keepalive_requests 100000000; }\n"
         "  server { listen 127.0.0.1:" +
         std::to_string(port) + " http2; location / { grpc_pass grpc://s; } }\n}\n";
}

}  // namespace

Subjects::Subjects(process::Guard& guard)
    : guard_(guard),
      place_(guard),
      bin_(std::filesystem::read_symlink("/proc/self/exe").parent_path().string()),
      server_port_(free_port()) {
  server_ = std::make_unique<process::ChildProcess>(
      guard_, process::Command{.argv = {bin_ + "/bench_server", std::to_string(server_port_)}});
  wait_for(server_port_, "bench_server");
}

std::string Subjects::write(const std::string& name, const std::string& text) {
  const auto path = place_.path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

std::vector<std::string> Subjects::command_line(const std::string& name, uint16_t port,
                                                uint16_t server_port) {
  const auto to = std::to_string(server_port);
  if (name == "haproxy-tcp")
    return {"haproxy", "-db", "-f", write(name, haproxy(port, server_port, "tcp", ""))};
  if (name == "haproxy-h2")
    return {"haproxy", "-db", "-f", write(name, haproxy(port, server_port, "http", " proto h2"))};
  if (name == "nginx") return {"nginx", "-c", write(name, nginx(port, server_port, place_.path()))};
  if (name == "nghttpx")
    return {"nghttpx",
            "--conf=/dev/null",
            "--workers=1",
            "--frontend=127.0.0.1," + std::to_string(port) + ";no-tls",
            "--backend=127.0.0.1," + to + ";;proto=h2",
            "--no-server-push",
            "--errorlog-file=/dev/null",
            "--frontend-http2-max-concurrent-streams=1000"};
  if (name == "breakwire") return {bin_ + "/bench_relay", std::to_string(port), to};
  if (name == "breakwire-armed") return {bin_ + "/bench_relay", std::to_string(port), to, "unmatched"};
  if (name == "breakwire-edited") return {bin_ + "/bench_relay", std::to_string(port), to, "edited"};
  if (name == "breakwire-forgetful") return {bin_ + "/bench_relay", std::to_string(port), to, "forgetful"};
  throw std::invalid_argument("there is no " + name);
}

std::unique_ptr<Subject> Subjects::start(const std::string& name) { return start(name, server_port_); }

std::unique_ptr<Subject> Subjects::start(const std::string& name, uint16_t server_port) {
  auto subject = std::make_unique<Subject>();
  subject->name = name;
  subject->port = server_port;
  if (name == "direct") return subject;
  subject->port = free_port();
  auto argv = command_line(name, subject->port, server_port);
  if (!installed(argv.front())) {
    std::fprintf(stderr, "%s is left out: %s is not installed\n", name.c_str(), argv.front().c_str());
    return nullptr;
  }
  subject->process = std::make_unique<process::ChildProcess>(
      guard_, process::Command{.argv = std::move(argv), .log_path = place_.path() + "/" + name + ".log"});
  try {
    wait_for(subject->port, name);
  } catch (const std::exception&) {
    for (const auto& line : subject->process->last_output_lines(10))
      std::fprintf(stderr, "%s\n", line.c_str());
    throw;
  }
  return subject;
}

}  // namespace bench
