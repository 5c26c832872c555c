// ExceptionBook: what functions threw and died of, equal ones as one group: counted, with the first
// and the last time and the last as the example. Pure but for its memory: time comes in. Owned by
// the node, on the loop's thread.
//
// An incident is counted at once under its addresses; the group finds its equals when the frames
// have names: by type and by the names of the function's own frames, so that neither another
// address of the code nor a rebuild of it splits a group.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"

namespace subito::node {

// Of one function; of more the group that was not seen for the longest goes.
inline constexpr std::size_t kExceptionGroupsMax = 50;
// Of one group: its addresses in so many builds are known.
inline constexpr std::size_t kExceptionTracesMax = 16;
inline constexpr std::size_t kExceptionTextBytesMax = 1 << 10;  // type, message; cut beyond
inline constexpr std::size_t kExceptionFramesMax = 32;          // of the example
inline constexpr std::size_t kExceptionFrameBytesMax = 512;     // of each, and of the place

struct Incident {
  std::string function;
  std::string type;     // "std::out_of_range", "SIGSEGV", "exited with status 3"
  std::string message;  // what it said of itself
  std::string trace;    // build and addresses; empty: nobody knows where it was
  std::int64_t unix_ns = 0;
  std::uint64_t revision = 0;
  std::string pod;
  std::string request_id;
  std::string trace_id;
};

class ExceptionBook {
 public:
  void add(Incident incident);
  // The frames of that trace have these names.
  void name(std::string_view function, std::string_view type, std::string_view trace,
            const std::vector<std::string>& frames);
  void forget(std::string_view function);

  // The one seen last first. `function` empty: of all, by function.
  std::vector<api::ExceptionView> views(std::string_view function) const;
  std::size_t groups(std::string_view function) const;
  std::uint64_t seen(std::string_view function) const;  // since the node started, in all

 private:
  struct Group {
    api::ExceptionView view;
    std::string fingerprint;         // hashed; empty: not named yet
    std::deque<std::string> traces;  // type and trace of its incidents, hashed
  };
  struct Book {
    std::list<Group> groups;  // the one seen last first
    std::map<std::string, std::list<Group>::iterator, std::less<>> by_trace;
    std::uint64_t seen = 0;
  };

  static void add_trace(Book& book, std::list<Group>::iterator group, const std::string& trace);
  static void remove(Book& book, std::list<Group>::iterator group);
  static void merge(Book& book, std::list<Group>::iterator from, std::list<Group>::iterator into);

  std::map<std::string, Book, std::less<>> books_;
};

}  // namespace subito::node
