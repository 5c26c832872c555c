#include "my-function.h"

subito::Response greet(const subito::Request& request, subito::Context& context) {
  const std::string name = request.query("name").value_or("world");
  if (name.size() > 100) {
    // Answers with this status and a problem document; any other exception would be a 500.
    throw subito::HttpError(400, "name-too-long", "a name has at most 100 bytes");
  }
  const std::string greeting = context.setting("greeting").value_or("hello");
  context.log().info("greeted", {{"name", name}});  // subito logs my-function
  return subito::Response::text(greeting + " " + name + "\n");
}
