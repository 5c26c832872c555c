#include "runtime/node/logs/stack_frames.h"

#include <algorithm>
#include <array>

namespace subito::node {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <std::size_t N>
bool begins_with_one_of(std::string_view name, const std::array<std::string_view, N>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
    return name.substr(0, prefix.size()) == prefix;
  });
}

// The qualified name alone: of "void std::invoke<int>(int)" it is "std::invoke<int>".
std::string_view qualified_name(std::string_view name) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  std::size_t begin = 0;
  int depth = 0;  // in <>
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '<') ++depth;
    if (c == '>') --depth;
    if (c == ' ' && depth == 0) begin = i + 1;
    if (c != '(') continue;
    if (name.substr(i, kAnonymous.size()) == kAnonymous) {
      i += kAnonymous.size() - 1;
    } else if (depth == 0) {
      return name.substr(begin, i - begin);
    }
  }
  return name.substr(begin);
}

}  // namespace

std::string_view stable_name(std::string_view frame) {
  frame = frame.substr(0, std::min(frame.find(" + 0x"), frame.find(" [clone ")));
  // "raise.constprop.0": as the compiler split it. In parameters there are points, too.
  const std::size_t close = frame.rfind(')');
  const std::size_t point = frame.find('.', close == frame.npos ? 0 : close);
  return frame.substr(0, point);
}

bool is_way_out(std::string_view frame) {
  static constexpr std::array<std::string_view, 9> kFunctions = {"abort",
                                                                 "raise",
                                                                 "gsignal",
                                                                 "pthread_kill",
                                                                 "__pthread_kill_implementation",
                                                                 "__pthread_kill_internal",
                                                                 "__assert_fail",
                                                                 "__assert_fail_base",
                                                                 "std::terminate()"};
  static constexpr std::array<std::string_view, 5> kPrefixes = {"__GI_", "__cxa_", "__wrap___cxa_",
                                                                "__cxxabiv1::", "__gnu_cxx::"};
  const std::string_view function = stable_name(frame);
  return is_one_of(function, kFunctions) || begins_with_one_of(function, kPrefixes);
}

bool is_own(std::string_view frame) {
  static constexpr std::array<std::string_view, 5> kStarts = {"main", "_start", "start_thread",
                                                              "clone", "clone3"};
  static constexpr std::array<std::string_view, 3> kPrefixes = {"std::", "subito::", "__"};
  if (is_way_out(frame) || frame.starts_with("operator ")) return false;
  const std::string_view name = qualified_name(stable_name(frame));
  return !is_one_of(name, kStarts) && !begins_with_one_of(name, kPrefixes);
}

std::string place_in(const std::vector<std::string>& frames) {
  auto at = std::find_if(frames.begin(), frames.end(), is_own);
  if (at == frames.end()) at = std::find_if_not(frames.begin(), frames.end(), is_way_out);
  return at == frames.end() ? std::string() : *at;
}

std::string fingerprint(std::string_view type, const std::vector<std::string>& frames) {
  const bool any_own = std::any_of(frames.begin(), frames.end(), is_own);
  std::string print(type);
  std::string_view last;
  std::size_t count = 0;
  for (const std::string& frame : frames) {
    const std::string_view name = stable_name(frame);
    if ((any_own && !is_own(frame)) || name == last) continue;
    if (++count > kFingerprintFrames) break;
    last = name;
    print += '\n';
    print += name;
  }
  return print;
}

}  // namespace subito::node
