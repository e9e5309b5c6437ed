#include "harness/process/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgot to say so in its header
#include <sys/pidfd.h>
}

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace breakwire::process {
namespace {

constexpr int most_looks = 50;  // a family that forks faster than it is read must not keep us for ever

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> result;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return result;
  while (const dirent* entry = ::readdir(proc)) {
    pid_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr != end) continue;
    if (const auto info = process_info(pid)) result.push_back(*info);
  }
  ::closedir(proc);
  return result;
}

}  // namespace

std::optional<ProcessInfo> process_info(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char text[1024];
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return std::nullopt;
  text[size] = '\0';
  // The name in field 2 may hold blanks and parentheses; what follows its last ')' is numbers.
  const char* rest = std::strrchr(text, ')');
  if (rest == nullptr) return std::nullopt;
  ProcessInfo info{.pid = pid};
  // Fields 3 (state), 4 (parent) and 22 (start time); the others are skipped.
  if (std::sscanf(rest + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                  &info.state, &info.parent, &info.born) != 3)
    return std::nullopt;
  return info;
}

std::vector<ProcessInfo> descendants_of(pid_t root) {
  std::multimap<pid_t, ProcessInfo> children;
  for (const ProcessInfo& info : all_processes()) children.emplace(info.parent, info);
  std::vector<ProcessInfo> family{{.pid = root}};
  for (size_t next = 0; next < family.size(); ++next) {
    const auto [first, last] = children.equal_range(family[next].pid);
    for (auto child = first; child != last; ++child) family.push_back(child->second);
  }
  family.erase(family.begin());
  std::erase_if(family, [](const ProcessInfo& info) { return info.state == 'Z' || info.state == 'X'; });
  return family;
}

bool send_signal(const ProcessInfo& process, int signo) {
  const int fd = ::pidfd_open(process.pid, 0);
  if (fd < 0 && errno != ENOSYS) return false;
  const auto now = process_info(process.pid);
  const bool same = now && now->born == process.born;
  bool sent = false;
  if (same)
    sent = fd >= 0 ? ::pidfd_send_signal(fd, signo, nullptr, 0) == 0 : ::kill(process.pid, signo) == 0;
  if (fd >= 0) ::close(fd);
  return sent;
}

int signal_descendants(pid_t root, int signo) {
  std::set<std::pair<pid_t, unsigned long long>> seen;
  int sent = 0;
  for (int look = 0; look < most_looks; ++look) {
    bool grown = false;
    for (const ProcessInfo& info : descendants_of(root)) {
      if (!seen.emplace(info.pid, info.born).second) continue;
      grown = true;
      if (send_signal(info, signo)) ++sent;
    }
    if (!grown) break;
  }
  return sent;
}

}  // namespace breakwire::process
