// For the tests of this folder.
#pragma once

#include <string>

namespace subito::testing {

// What the exception says that `action` throws, if it is an Error.
template <typename Error, typename Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace subito::testing
