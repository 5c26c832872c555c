#include "my-function.h"

#include <cctype>

namespace {

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

subito::Response handle(const subito::Request& request, subito::Context& context) {
  try {
    // By way of the node, which knows where that is, starts it if it sleeps, and allows the call
    // because function.yaml lists it. Our deadline is its deadline.
    const subito::Response greeting =
        context.call(kCalled, subito::Request("GET", "/?" + request.query_string()));
    if (greeting.status() != 200) {
      throw subito::HttpError(
          502, "no-greeting",
          std::string(kCalled) + " answered " + std::to_string(greeting.status()));
    }
    return subito::Response::text(in_capitals(greeting.body()));
  } catch (const subito::CallError& error) {
    // No answer came: error.type() says why. "not-found" until that function is deployed.
    throw subito::HttpError(503, "no-greeting", error.what());
  }
}
