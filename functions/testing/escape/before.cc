// What a process may have done before it leaves an image, and what is left of it in a copy.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "functions/testing/escape/attempt.h"

namespace escape {
namespace {

constexpr std::size_t kSecretBytes = 4096;
constexpr int kLines = 1000;
char* secret = nullptr;

bool keep_secret() {
  void* page =
      ::mmap(nullptr, kSecretBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || ::madvise(page, kSecretBytes, MADV_WIPEONFORK) != 0) return false;
  secret = static_cast<char*>(page);
  std::strcpy(secret, "seed");
  return true;
}

bool print_lines() {
  std::string line(200, '.');
  line += '\n';
  for (int i = 0; i < kLines; ++i) {
    if (::write(1, line.data(), line.size()) < 0) return false;
  }
  return true;
}

Outcome read_secret(const char*) {
  return {secret == nullptr ? "none" : "secret \"" + std::string(secret) + "\""};
}

}  // namespace

bool do_before(const std::string& what) {
  if (what == "file") return ::close(::creat("/tmp/.left", 0600)) == 0;
  if (what == "folder") return ::chdir("/tmp") == 0;
  if (what == "timer") return ::alarm(60) == 0;
  if (what == "secret") return keep_secret();
  return what == "lines" && print_lines();
}

const Attempt kBeforeAttempts[] = {{"read-secret", read_secret}, {nullptr, nullptr}};

}  // namespace escape
