// Everything a function should not do, on request: for tests of what becomes of it and of others.
//
//   /throw/{what}       standard | http | cancelled | number | late (after half an answer)
//   /crash/{how}        segv | abort | fpe | ill | overflow (of the stack) | terminate
//   /loop               for ever, without looking at anything
//   /sleep              for ever, without using the processor
//   /allocate?mib=N     takes N MiB and touches them, then answers
//   /exit/{code}        ends the process
//   /garbage            writes bytes to the channel that are no frame
//   /frames/{what}      breaks the protocol with well-formed frames: twice (a second HELLO),
//                       unknown (BODY for a stream never opened), flood (more than its window)
//   /noise              prints to standard output and error
//   /babble?lines=N&bytes=B&id=X  prints N lines of some B bytes
#include <subito/function.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace {

constexpr int kChannel = 3;

subito::Response throw_something(const subito::Request& request, subito::Context&) {
  const auto& what = request.param("what");
  if (what == "standard") throw std::out_of_range("no such anvil");
  if (what == "http") throw subito::HttpError(418, "teapot", "short and stout");
  if (what == "cancelled") throw subito::Cancelled("as if it were over");
  if (what == "number") throw 42;
  if (what == "late") {
    return subito::Response::stream("text/plain", [](subito::BodyWriter& body) {
      body.write("half an answer");
      throw std::runtime_error("and then nothing");
    });
  }
  throw subito::HttpError(400, "unknown", "throw what?");
}

// Every call needs its frame: nothing here can be turned into a loop.
__attribute__((noinline)) int overflow(volatile const char* above, const volatile bool* more) {
  volatile char frame[4096];
  frame[0] = *above;
  return *more ? overflow(frame, more) + frame[0] : 0;
}

void fail_without_exception() noexcept {
  volatile bool always = true;
  if (always) std::abort();
}

subito::Response crash(const subito::Request& request, subito::Context&) {
  const auto& how = request.param("how");
  const volatile int zero = 0;
  const volatile bool always = true;
  int sink = 0;
  const volatile char start = 1;
  if (how == "segv") std::memset(reinterpret_cast<void*>(zero + std::uintptr_t{16}), 1, 4);
  if (how == "abort") fail_without_exception();
  if (how == "fpe") sink = 100 / zero;
  if (how == "ill") __builtin_trap();
  if (how == "overflow") sink = overflow(&start, &always);
  if (how == "terminate") std::terminate();
  throw subito::HttpError(400, "unknown", "crash how? " + std::to_string(sink));
}

subito::Response loop(const subito::Request&, subito::Context&) {
  volatile bool always = true;
  while (always) {
  }
  return subito::Response::text("never\n");
}

subito::Response sleep_for_ever(const subito::Request&, subito::Context&) {
  for (;;) ::pause();
}

subito::Response allocate(const subito::Request& request, subito::Context&) {
  const auto bytes = std::stoull(request.query("mib").value_or("1")) << 20;
  char* memory = static_cast<char*>(std::malloc(bytes));
  if (memory == nullptr) throw subito::HttpError(507, "no-memory", "malloc said no");
  std::memset(memory, 1, bytes);
  const bool touched = memory[bytes - 1] == 1;
  std::free(memory);
  return subito::Response::text(touched ? "touched\n" : "lost\n");
}

subito::Response leave(const subito::Request& request, subito::Context&) {
  ::_exit(std::stoi(request.param("code")));
}

void write_raw(const std::string& bytes) {
  if (::write(kChannel, bytes.data(), bytes.size()) < 0) std::perror("write to the channel");
}

subito::Response garbage(const subito::Request&, subito::Context&) {
  write_raw(std::string(64, '\xee'));
  return subito::Response::text("too late\n");
}

std::string frame(char type, char stream, const std::string& body) {
  const char low = static_cast<char>(body.size() & 0xff);
  const char high = static_cast<char>(body.size() >> 8);
  return std::string{1, type, 0, 0, stream, 0, 0, 0, 0, 0, 0, 0, low, high, 0, 0} + body;
}

subito::Response frames(const subito::Request& request, subito::Context&) {
  const auto& what = request.param("what");
  if (what == "twice") write_raw(frame(1, 0, ""));
  if (what == "unknown") write_raw(frame(4, 99, "stray"));
  if (what == "flood") {
    write_raw(frame(5, 1, ""));
    for (int i = 0; i < 64; ++i) write_raw(frame(4, 1, std::string(32 << 10, 'f')));
  }
  return subito::Response::text("too late\n");
}

subito::Response noise(const subito::Request&, subito::Context&) {
  std::puts("printed to standard output");
  std::fflush(stdout);
  std::fputs("printed to standard error\n", stderr);
  return subito::Response::text("loud\n");
}

subito::Response babble(const subito::Request& request, subito::Context&) {
  const int lines = std::stoi(request.query("lines").value_or("1"));
  const std::string rest(std::stoul(request.query("bytes").value_or("0")), 'x');
  const std::string id = request.query("id").value_or("");
  for (int i = 0; i < lines; ++i) std::printf("babble %s %d %s\n", id.c_str(), i, rest.c_str());
  std::fflush(stdout);
  return subito::Response::text("said\n");
}

}  // namespace

int main(int argc, char** argv) {
  subito::Router router;
  router.get("/throw/{what}", throw_something)
      .get("/crash/{how}", crash)
      .get("/loop", loop)
      .get("/sleep", sleep_for_ever)
      .get("/allocate", allocate)
      .get("/exit/{code}", leave)
      .get("/garbage", garbage)
      .get("/frames/{what}", frames)
      .get("/noise", noise)
      .get("/babble", babble);
  return subito::serve(argc, argv, std::move(router));
}
