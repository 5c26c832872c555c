// Answers with what it was asked: for tests of everything between a client and a handler.
//
//   /status/CODE      an empty answer with that status
//   ?sleep_ms=N       first waits, or until it is cancelled; as the setting sleep_ms without it
//   ?burn_ms=N        first uses N ms of CPU time, or until it is cancelled
//   ?bytes=N          streams N bytes of 'x' instead of a body, in pieces of 64 KiB
//   ?describe         method, path, query, headers and ids as text instead of the body
//   /stream           the body back while it still comes, piece by piece
#include <subito/function.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

namespace {

std::uint64_t number(const subito::Request& request, const char* name) {
  const auto text = request.query(name);
  if (!text) return 0;
  try {
    return std::stoull(*text);
  } catch (const std::exception&) {
    throw subito::HttpError(400, "bad-query", std::string(name) + " is not a number");
  }
}

std::uint64_t sleep_ms_of(const subito::Request& request, subito::Context& context) {
  if (request.query("sleep_ms")) return number(request, "sleep_ms");
  return std::stoull(context.setting("sleep_ms").value_or("0"));
}

std::string describe(const subito::Request& request, subito::Context& context) {
  std::string out = request.method() + " " + request.path() + "?" + request.query_string() + "\n";
  for (const auto& [name, value] : request.headers().fields()) out += name + ": " + value + "\n";
  out += "function " + context.function() + ", pod " + context.pod() + ", request " +
         context.request_id() + "\n";
  return out;
}

subito::Response many_bytes(std::uint64_t count) {
  return subito::Response::stream("application/octet-stream", [count](subito::BodyWriter& body) {
    const std::string piece(64 << 10, 'x');
    for (std::uint64_t left = count; left > 0;) {
      const auto size = std::min<std::uint64_t>(left, piece.size());
      body.write(std::string_view(piece).substr(0, size));
      left -= size;
    }
  });
}

void sleep_unless_cancelled(std::chrono::milliseconds time, subito::Context& context) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (context.cancelled()) throw subito::Cancelled("woken: the invocation is over");
    std::this_thread::sleep_for(std::min(time, std::chrono::milliseconds(10)));
  }
}

std::chrono::nanoseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void burn_unless_cancelled(std::chrono::milliseconds time, subito::Context& context) {
  constexpr int kStepsBetweenLooks = 10'000;
  const auto end = cpu_time() + time;
  volatile int step = 0;
  while (time.count() > 0 && cpu_time() < end) {
    if (context.cancelled()) throw subito::Cancelled("cooled: the invocation is over");
    for (step = 0; step < kStepsBetweenLooks;) step = step + 1;
  }
}

subito::Response echo(const subito::Request& request, subito::Context& context) {
  sleep_unless_cancelled(std::chrono::milliseconds(sleep_ms_of(request, context)), context);
  burn_unless_cancelled(std::chrono::milliseconds(number(request, "burn_ms")), context);
  if (request.query("bytes")) return many_bytes(number(request, "bytes"));
  if (request.query("describe")) return subito::Response::text(describe(request, context));
  subito::Response response;
  response.header("content-type",
                  std::string(request.header("content-type").value_or("application/octet-stream")));
  response.body() = request.body();
  return response;
}

subito::Response stream(const subito::Request& request, subito::Context&) {
  return subito::Response::stream("application/octet-stream", [&request](subito::BodyWriter& out) {
    auto& in = request.stream();
    for (auto piece = in.read(); !piece.empty(); piece = in.read()) out.write(piece);
  });
}

subito::Response status(const subito::Request& request, subito::Context&) {
  const auto& code = request.param("code");
  const bool known = code.size() == 3 && code >= "200" && code <= "599";
  if (!known) throw subito::HttpError(400, "bad-status", code + " is no status");
  return subito::Response(std::stoi(code));
}

}  // namespace

int main(int argc, char** argv) {
  subito::Router router;
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    router.add(method, "/stream", stream);
    router.add(method, "/status/{code}", status);
    router.add(method, "/{rest...}", echo);
  }
  return subito::serve(argc, argv, std::move(router));
}
