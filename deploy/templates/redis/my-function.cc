#include "my-function.h"

namespace {

// What others have stored there besides is out of reach: only keys below key("") are ours.
std::string key_of(const subito::Request& request, const subito::Redis& redis) {
  return redis.key("counter:" + request.param("name"));
}

subito::Response count(const subito::Request& request, subito::Context& context) {
  // The binding of that name in function.yaml: a connection that the node has opened.
  subito::Redis& redis = context.redis("redis");
  // One command, so that no count is lost however many pods there are.
  const subito::RedisReply value = redis.command({"INCR", key_of(request, redis)});
  return subito::Response::text(std::to_string(value.integer()) + "\n");
}

subito::Response look(const subito::Request& request, subito::Context& context) {
  subito::Redis& redis = context.redis("redis");
  const subito::RedisReply value = redis.command({"GET", key_of(request, redis)});
  if (value.is_nil()) {
    throw subito::HttpError(404, "no-such-counter", "nobody has counted " + request.param("name"));
  }
  return subito::Response::text(std::string(value.text()) + "\n");
}

}  // namespace

subito::Router counters() {
  subito::Router router;
  router.post("/counters/{name}", count);
  router.get("/counters/{name}", look);
  return router;
}
