#include "harness/process/owned_directory.h"

#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace breakwire::process {

namespace fs = std::filesystem;

std::string make_owned_directory(const std::string& parent) {
  std::string path = parent + "/breakwire-XXXXXX";
  return ::mkdtemp(path.data()) != nullptr ? path : std::string();
}

void remove_owned_directory(const std::string& path) {
  const fs::path directory(path);
  std::error_code ignored;
  if (!directory.is_absolute() || !directory.filename().string().starts_with("breakwire-")) return;
  if (!fs::is_directory(fs::symlink_status(directory, ignored))) return;
  for (fs::directory_iterator entry(directory, ignored), end; entry != end; entry.increment(ignored))
    remove_shared_memory_of(entry->path() / "postmaster.pid");
  fs::remove_all(directory, ignored);
}

void remove_shared_memory_of(const std::string& lock_file) {
  // PostgreSQL's miscadmin.h, LOCK_FILE_LINE_SHMEM_KEY: the seventh line holds the key and the id of the
  // segment.
  std::ifstream file(lock_file);
  std::string line;
  for (int number = 1; number <= 7; ++number)
    if (!std::getline(file, line)) return;
  std::istringstream words(line);
  unsigned long key = 0;
  int id = -1;
  if (!(words >> key >> id)) return;
  shmid_ds segment{};
  if (::shmctl(id, IPC_STAT, &segment) != 0 || segment.shm_nattch != 0) return;
  if (static_cast<unsigned long>(static_cast<unsigned int>(segment.shm_perm.__key)) != key &&
      static_cast<unsigned long>(segment.shm_perm.__key) != key)
    return;  // the id was given to somebody else meanwhile
  ::shmctl(id, IPC_RMID, nullptr);
}

}  // namespace breakwire::process
