#include "runtime/sdk/answer.h"

#include <cxxabi.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <typeinfo>

#include "runtime/sdk/backtrace.h"

namespace subito::sdk {
namespace {

std::string demangle(const char* name) {
  int status = 0;
  char* readable = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string out = status == 0 ? readable : name;
  std::free(readable);
  return out;
}

Answer internal_error(const char* message) {
  Failure failure;
  const std::type_info* type = abi::__cxa_current_exception_type();
  failure.type = type != nullptr ? demangle(type->name()) : "unknown";
  failure.message = message;
  failure.backtrace = throw_backtrace();
  return {Response::problem(500, "internal-error", "the function failed"), std::move(failure)};
}

}  // namespace

Answer answer_exception() {
  try {
    throw;
  } catch (const HttpError& error) {
    return {Response::problem(error.status(), error.type(), error.what()), std::nullopt};
  } catch (const Cancelled& error) {
    return {Response::problem(504, "deadline-exceeded", error.what()), std::nullopt};
  } catch (const std::exception& error) {
    return internal_error(error.what());
  } catch (const char* text) {
    return internal_error(text);
  } catch (int number) {
    return internal_error(std::to_string(number).c_str());
  } catch (...) {
    return internal_error("");
  }
}

Answer run_handler(const Handler& handler, const Request& request, Context& context) {
  try {
    Response response = handler(request, context);
    if (response.status() >= 200 && response.status() <= 599) {
      return {std::move(response), std::nullopt};
    }
    throw std::invalid_argument("answer with status " + std::to_string(response.status()) +
                                ": it is not within 200 and 599");
  } catch (...) {
    return answer_exception();
  }
}

bool is_runtime_header(std::string_view name) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "connection",        "content-length", "date",   "keep-alive",
      "transfer-encoding", "trailer",        "upgrade"};
  for (const auto own : kNames) {
    if (name == own) return true;
  }
  return false;
}

std::string words(const Failure& failure) {
  return failure.message.empty() ? failure.type : failure.type + ": " + failure.message;
}

std::string describe(const Failure& failure) {
  std::string line = words(failure);
  if (failure.backtrace.empty()) return line;
  char path[kBinaryPathBytesMax];
  line += kWhere;
  line += binary_path(path);
  for (const auto address : failure.backtrace) line += " " + address_text(address - 1);
  return line;
}

}  // namespace subito::sdk
