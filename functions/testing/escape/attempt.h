// What an attempt to get out of a pod came to, and the table of all attempts. Plain C++ and libc: a
// pod that tries to break out needs no SDK.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace escape {

// "denied EPERM", "allowed: read 1024 bytes", "count 4". One line, without its end.
struct Outcome {
  std::string text;
};

Outcome denied(int error);
Outcome allowed(const std::string& what);
// Of a system call: below 0 is denied with errno.
Outcome judge(long result, const std::string& what);

struct Attempt {
  const char* name;
  Outcome (*run)(const char* argument);
};

// The descriptor that waits in the channel; -1: none came.
int take_descriptor();

// Does what a template may not have done, or must not pass on: "file", "folder", "timer", "secret",
// "lines". False: it knows no `what`, or could not (before.cc).
bool do_before(const std::string& what);

extern const Attempt kFileAttempts[];      // files.cc, ended by a null name
extern const Attempt kProcessAttempts[];   // processes.cc
extern const Attempt kKernelAttempts[];    // kernel.cc
extern const Attempt kNetworkAttempts[];   // network.cc
extern const Attempt kResourceAttempts[];  // resources.cc
extern const Attempt kBeforeAttempts[];    // before.cc

}  // namespace escape
