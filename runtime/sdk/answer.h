// Answer: what came of a handler, an exception included. Both ways to serve (pod and --listen) run
// handlers through here, so that they answer the same. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/sdk/include/subito/function.h"

namespace subito::sdk {

// An exception that was a handler's fault, for the logs and never for the caller.
struct Failure {
  std::string type;                       // "std::out_of_range"
  std::string message;                    // what()
  std::vector<std::uintptr_t> backtrace;  // of the throw, innermost first
};

struct Answer {
  Response response;
  std::optional<Failure> failure;
};

Answer run_handler(const Handler& handler, const Request& request, Context& context);

// Turns the exception being handled into an answer: HttpError into its problem document, Cancelled
// into 504, anything else into 500 and a Failure. Call it in a catch block only.
Answer answer_exception();

// The headers that are sent: without those that the runtime itself is in charge of.
bool is_runtime_header(std::string_view name);

// "std::out_of_range: no such key"; of what has no message the type alone.
std::string words(const Failure& failure);

// One line for the log of --listen, with the command that names where it was thrown:
// "std::out_of_range: no such key; where: addr2line -Cfipe /src/build/cart 0x401233 0x405677".
std::string describe(const Failure& failure);

}  // namespace subito::sdk
