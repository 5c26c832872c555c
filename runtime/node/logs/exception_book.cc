#include "runtime/node/logs/exception_book.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "runtime/node/logs/stack_frames.h"

namespace subito::node {
namespace {

std::string cut(std::string text, std::size_t bytes = kExceptionTextBytesMax) {
  if (text.size() > bytes) text.resize(bytes);
  return text;
}

// However long it is: it is only compared.
std::string short_key(const std::string& text) {
  return std::to_string(std::hash<std::string>()(text));
}

std::string trace_key(std::string_view type, std::string_view trace) {
  return short_key(std::string(type) + '\n' + std::string(trace));
}

// What a group shows of its last one.
void show(api::ExceptionView& view, Incident&& incident) {
  view.last_unix_ns = std::max(view.last_unix_ns, incident.unix_ns);
  view.message = cut(std::move(incident.message));
  view.revision = incident.revision;
  view.pod = std::move(incident.pod);
  view.request_id = std::move(incident.request_id);
  view.trace_id = std::move(incident.trace_id);
}

}  // namespace

void ExceptionBook::add(Incident incident) {
  incident.type = cut(std::move(incident.type));
  Book& book = books_[incident.function];
  ++book.seen;
  const std::string key = trace_key(incident.type, incident.trace);
  if (const auto known = book.by_trace.find(key); known != book.by_trace.end()) {
    book.groups.splice(book.groups.begin(), book.groups, known->second);
  } else {
    if (book.groups.size() == kExceptionGroupsMax) remove(book, std::prev(book.groups.end()));
    Group& group = book.groups.emplace_front();
    group.view.function = incident.function;
    group.view.type = incident.type;
    group.view.first_unix_ns = incident.unix_ns;
    add_trace(book, book.groups.begin(), key);
    // Without addresses there is nothing that could have a name.
    if (incident.trace.empty()) group.fingerprint = short_key(fingerprint(incident.type, {}));
  }
  api::ExceptionView& view = book.groups.front().view;
  ++view.count;
  show(view, std::move(incident));
}

void ExceptionBook::name(std::string_view function, std::string_view type, std::string_view trace,
                         const std::vector<std::string>& frames) {
  const auto own = books_.find(function);
  if (own == books_.end()) return;
  Book& book = own->second;
  const std::string short_type = cut(std::string(type));
  const auto known = book.by_trace.find(trace_key(short_type, trace));
  if (known == book.by_trace.end() || !known->second->fingerprint.empty()) return;
  const auto group = known->second;
  const std::string print = short_key(fingerprint(short_type, frames));
  const auto equal = std::find_if(book.groups.begin(), book.groups.end(),
                                  [&](const Group& other) { return other.fingerprint == print; });
  group->fingerprint = print;
  group->view.place = cut(place_in(frames), kExceptionFrameBytesMax);
  const std::size_t shown = std::min(frames.size(), kExceptionFramesMax);
  group->view.frames.clear();
  for (std::size_t i = 0; i < shown; ++i)
    group->view.frames.push_back(cut(frames[i], kExceptionFrameBytesMax));
  if (equal != book.groups.end()) merge(book, equal, group);
}

// The group that was seen last stays, as the example is its.
void ExceptionBook::merge(Book& book, std::list<Group>::iterator from,
                          std::list<Group>::iterator into) {
  if (from->view.last_unix_ns > into->view.last_unix_ns) std::swap(from, into);
  into->view.count += from->view.count;
  into->view.first_unix_ns = std::min(into->view.first_unix_ns, from->view.first_unix_ns);
  for (const std::string& trace : std::exchange(from->traces, {})) add_trace(book, into, trace);
  book.groups.erase(from);
}

void ExceptionBook::add_trace(Book& book, std::list<Group>::iterator group,
                              const std::string& trace) {
  group->traces.push_back(trace);
  book.by_trace[trace] = group;
  if (group->traces.size() <= kExceptionTracesMax) return;
  book.by_trace.erase(group->traces.front());
  group->traces.pop_front();
}

void ExceptionBook::remove(Book& book, std::list<Group>::iterator group) {
  for (const std::string& trace : group->traces) book.by_trace.erase(trace);
  book.groups.erase(group);
}

void ExceptionBook::forget(std::string_view function) {
  if (const auto own = books_.find(function); own != books_.end()) books_.erase(own);
}

std::vector<api::ExceptionView> ExceptionBook::views(std::string_view function) const {
  std::vector<api::ExceptionView> found;
  for (const auto& [name, book] : books_) {
    if (!function.empty() && name != function) continue;
    for (const Group& group : book.groups) found.push_back(group.view);
  }
  return found;
}

std::size_t ExceptionBook::groups(std::string_view function) const {
  const auto own = books_.find(function);
  return own == books_.end() ? 0 : own->second.groups.size();
}

std::uint64_t ExceptionBook::seen(std::string_view function) const {
  const auto own = books_.find(function);
  return own == books_.end() ? 0 : own->second.seen;
}

}  // namespace subito::node
