// Three functions in one process: for tests of subito/monolith.h.
//
// front, at /:
//   GET  /who                    "FUNCTION POD PATH"
//   any  /call/{function}/{path...}   calls, answers with what came (or 502 and the reason)
//   GET  /late                   calls back's POST /count once its own time is over
// back, at /orders:
//   GET  /orders/who             the same of it
//   POST /echo                   the headers "x-request-id" and "traceparent", and the body
//   GET  /long                   ?bytes= of "x", streamed
//   GET  /broken                 throws, ?begun=1: when a part was sent
//   GET  /left                   milliseconds until its deadline
//   POST /count                  one more; GET: how many there were
//   any  /call/{function}/{path...}   as front
// deep, at /orders/deep: GET /orders/deep/who
#include <subito/monolith.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

Response who(const Request& request, Context& context) {
  return Response::text(context.function() + " " + context.pod() + " " + request.path());
}

Response call(const Request& request, Context& context) {
  std::string target = "/" + request.param("path");
  if (!request.query_string().empty()) target += "?" + request.query_string();
  try {
    return context.call(request.param("function"),
                        Request(request.method(), target, {}, request.body()));
  } catch (const subito::CallError& error) {
    throw HttpError(502, error.type(), error.what());
  }
}

Response echo(const Request& request, Context&) {
  return Response::text(std::string(request.header("x-request-id").value_or("-")) + " " +
                        std::string(request.header("traceparent").value_or("-")) + " " +
                        request.body());
}

Response stream(const Request& request, Context&) {
  const auto bytes = std::stoul(request.query("bytes").value_or("0"));
  return Response::stream("text/plain", [bytes](subito::BodyWriter& out) {
    constexpr std::size_t kPiece = 4096;
    for (std::size_t left = bytes; left > 0; left -= std::min(left, kPiece)) {
      out.write(std::string(std::min(left, kPiece), 'x'));
    }
  });
}

Response broken(const Request& request, Context&) {
  if (!request.query("begun")) throw std::runtime_error("broken");
  return Response::stream("text/plain", [](subito::BodyWriter& out) {
    out.write("part");
    throw std::runtime_error("broken");
  });
}

Response left(const Request&, Context& context) {
  return Response::text(std::to_string(context.time_left().count()));
}

std::atomic<int> counted = 0;

Response count(const Request& request, Context&) {
  if (request.method() == "POST") ++counted;
  return Response::text(std::to_string(counted));
}

Response late(const Request&, Context& context) {
  while (!context.cancelled()) ::usleep(1000);
  return context.call("back", Request("POST", "/count"));
}

subito::Router routes(const std::string& prefix) {
  subito::Router router;
  router.get(prefix + "/who", who)
      .post("/echo", echo)
      .get("/long", stream)
      .get("/broken", broken)
      .get("/left", left)
      .get("/late", late)
      .get("/count", count)
      .post("/count", count);
  for (const char* method : {"GET", "POST", "HEAD"}) {
    router.add(method, "/call/{function}/{path...}", call);
  }
  return router;
}

}  // namespace

int main(int argc, char** argv) {
  return subito::serve_monolith(argc, argv,
                                {{"front", routes(""), {"/"}},
                                 {"back", routes("/orders"), {"/orders"}},
                                 {"deep", routes("/orders/deep"), {"/orders/deep/"}}});
}
