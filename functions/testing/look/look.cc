// Looks around in its pod: for tests of what a deployed function can see.
//
//   /descriptors    the numbers of its open descriptors
//   /list?path=P    what a folder holds, a name a line, or the error
//   /read?path=P    what a file holds, or the error
//   /trace          the trace context of this invocation
//   /random         a random number, and the stack guard of its main thread
//   /environment    its environment, a variable a line
//   /shout?kib=N    prints N numbered lines of 1 KiB
//   POST /shout     the same and then ends
//   POST /exit      ends the process with status 3
//
// With the argument "mute" it never says hello, with "quit" it ends before that, with "abort" and
// "throw" it dies before that; with "threads" it starts one, with "open" it opens a file before it
// serves.
#include <dirent.h>
#include <fcntl.h>
#include <subito/function.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace {

using subito::Context;
using subito::Request;
using subito::Response;

Response descriptors(const Request&, Context&) {
  std::string open;
  constexpr int kFdsMax = 1024;
  for (int fd = 0; fd < kFdsMax; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) open += (open.empty() ? "" : " ") + std::to_string(fd);
  }
  return Response::text(open);
}

Response error(const char* what) {
  return Response::text(std::string(what) + ": " + std::strerror(errno));
}

Response list(const Request& request, Context&) {
  DIR* folder = ::opendir(std::string(request.query("path").value_or("/")).c_str());
  if (folder == nullptr) return error("open folder");
  std::string names;
  while (const dirent* entry = ::readdir(folder)) names += std::string(entry->d_name) + "\n";
  ::closedir(folder);
  return Response::text(names);
}

Response read_start(const Request& request, Context&) {
  const int fd = ::open(std::string(request.query("path").value_or("/")).c_str(), O_RDONLY);
  if (fd < 0) return error("open file");
  char bytes[4096];
  const ssize_t n = ::read(fd, bytes, sizeof bytes);
  ::close(fd);
  if (n < 0) return error("read file");
  return Response::text(std::string(bytes, static_cast<std::size_t>(n)));
}

Response random_numbers(const Request&, Context&) {
  std::uint64_t guard = 0;
  __asm__("mov %%fs:0x28, %0" : "=r"(guard));
  return Response::text(std::to_string(std::random_device()()) + " guard " + std::to_string(guard));
}

Response trace(const Request&, Context& context) {
  return Response::text(context.traceparent());
}

Response environment(const Request&, Context&) {
  std::string lines;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    lines += std::string(*variable) + "\n";
  }
  return Response::text(lines);
}

Response shout(const Request& request, Context&) {
  const int lines = std::stoi(std::string(request.query("kib").value_or("1")));
  for (int i = 0; i < lines; ++i) {
    std::string line = "line " + std::to_string(i) + " ";
    line.resize(1023, '.');
    line += '\n';
    if (::write(1, line.data(), line.size()) < 0) break;
  }
  if (request.method() == "POST") ::_exit(3);
  return Response::text("hoarse");
}

__attribute__((noinline)) void die_early() {
  std::abort();
}

Response leave(const Request&, Context&) {
  ::_exit(3);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string argument = argc > 1 ? argv[1] : "";
  if (argument == "quit") return 3;
  if (argument == "abort") die_early();
  if (argument == "throw") throw std::runtime_error("no configuration");
  while (argument == "mute") ::pause();
  if (argument == "threads") std::thread([] { ::pause(); }).detach();
  if (argument == "open") (void)::open("/dev/null", O_RDONLY);
  subito::Router router;
  router.get("/descriptors", descriptors)
      .get("/list", list)
      .get("/read", read_start)
      .get("/random", random_numbers)
      .get("/trace", trace)
      .get("/environment", environment)
      .get("/shout", shout)
      .post("/shout", shout)
      .post("/exit", leave);
  return subito::serve(argc, argv, std::move(router));
}
