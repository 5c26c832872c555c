#include "runtime/bindings/lookups.h"

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace subito::bindings {

struct Lookups::Request {
  uv_getaddrinfo_t request{};
  Lookups* lookups = nullptr;  // null once they are gone
  std::string owner;
  LookupId id;
};

Lookups::Lookups(Loop& loop) : loop_(loop), failed_(loop, [this] { report_failures(); }) {}

Lookups::~Lookups() {
  for (auto& [owner, line] : lines_) {
    if (line.running == nullptr) continue;
    line.running->lookups = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&line.running->request));
  }
}

LookupId Lookups::start(const std::string& owner, std::string host, std::string port,
                        Callback callback) {
  const LookupId id = ids_.next();
  lookups_.emplace(id, Lookup{owner, std::move(host), std::move(port), std::move(callback)});
  lines_[owner].waiting.push_back(id);
  run_next(owner);
  return id;
}

void Lookups::cancel(LookupId id) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return;
  if (const auto line = lines_.find(it->second.owner); line != lines_.end()) {
    std::erase(line->second.waiting, id);
    Request* request = line->second.running;
    // One that has not begun to run comes back at once, with UV_ECANCELED.
    if (request != nullptr && request->id == id) {
      uv_cancel(reinterpret_cast<uv_req_t*>(&request->request));
    }
  }
  lookups_.erase(it);
}

bool Lookups::in_line(LookupId id) const {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return false;
  const auto line = lines_.find(it->second.owner);
  return line != lines_.end() &&
         std::count(line->second.waiting.begin(), line->second.waiting.end(), id) > 0;
}

std::size_t Lookups::running() const {
  return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [](const auto& line) {
    return line.second.running != nullptr;
  }));
}

void Lookups::run_next(const std::string& owner) {
  const auto it = lines_.find(owner);
  Line& line = it->second;
  while (line.running == nullptr && !line.waiting.empty()) {
    const LookupId id = line.waiting.front();
    line.waiting.pop_front();
    if (const int status = run(line, id); status != 0) {
      failures_.emplace_back(id, status);
      failed_.start(Duration::zero());
    }
  }
  if (line.running == nullptr) lines_.erase(it);
}

int Lookups::run(Line& line, LookupId id) {
  const Lookup& lookup = lookups_.at(id);
  auto request = std::make_unique<Request>();
  request->request.data = request.get();
  request->lookups = this;
  request->owner = lookup.owner;
  request->id = id;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  const int status = uv_getaddrinfo(loop_.raw(), &request->request, &Lookups::on_done,
                                    lookup.host.c_str(), lookup.port.c_str(), &hints);
  if (status == 0) line.running = request.release();
  return status;
}

void Lookups::on_done(uv_getaddrinfo_t* done, int status, addrinfo* found) {
  const std::unique_ptr<Request> request(static_cast<Request*>(done->data));
  const std::unique_ptr<addrinfo, decltype(&uv_freeaddrinfo)> list(found, uv_freeaddrinfo);
  Lookups* const self = request->lookups;
  if (self == nullptr) return;
  self->lines_.at(request->owner).running = nullptr;
  self->run_next(request->owner);
  self->report(request->id, status, found);
}

void Lookups::report_failures() {
  if (failures_.empty()) return;
  const auto [id, status] = failures_.front();
  failures_.pop_front();
  if (!failures_.empty()) failed_.start(Duration::zero());
  report(id, status, nullptr);
}

// The last thing its caller does.
void Lookups::report(LookupId id, int status, const addrinfo* found) {
  const auto lookup = lookups_.extract(id);
  if (!lookup.empty()) lookup.mapped().callback(status, found);
}

}  // namespace subito::bindings
