// Deliveries of triggers without a node: which triggers the environment asks for, and what a
// function is sent. The same CloudEvents as from a node (docs/triggers.md). Pure but for the
// environment; any thread.
//
//   TRIGGER_<NAME>="stream KEY PATH"    each entry of the stream KEY, in its order
//   TRIGGER_<NAME>="due KEY PATH"       members of the sorted set KEY whose score has come
//
// KEY is whole, with its prefix; PATH is one of this process. <NAME> in lower case, "-" for "_", is
// the trigger's name: the group that reads a stream is the one that a node would use.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/sdk/include/subito/function.h"

namespace subito::sdk {

struct ListenTrigger {
  enum class Kind : std::uint8_t { kStream, kDue };
  std::string name;
  Kind kind = Kind::kStream;
  std::string key;
  std::string path;
};

// Of `variables` (as environ(7)), those whose value begins with "stream" or "due". kInvalidArgument
// names the variable and what it must be.
Result<std::vector<ListenTrigger>> triggers_of(const char* const* variables);
// What to warn of: variables that have the name of a trigger, and another value.
std::vector<std::string> unread_triggers(const char* const* variables);

// An entry of a stream, or what is due: `id` is "MEMBER@SCORE" then.
struct Delivery {
  std::string id;
  std::vector<std::pair<std::string, std::string>> fields;  // of an entry
};

Request request_of(const ListenTrigger& trigger, const Delivery& delivery, const std::string& path,
                   std::uint64_t number);

}  // namespace subito::sdk
