// The operations that tell what functions said: logs, requests, exceptions.
#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/time_text.h"
#include "deploy/manifest/selector.h"
#include "runtime/base/check.h"

namespace subito::api {

namespace {

Result<bool> flag_of(const Parameters& query, const char* name) {
  const auto it = query.find(name);
  if (it == query.end() || it->second == "false") return false;
  if (it->second == "true") return true;
  return fail(ErrorCode::kInvalidArgument,
              std::string("read query: ") + name + " must be true or false");
}

Result<LogQuery> log_query(const Parameters& query) {
  LogQuery out;
  if (const auto it = query.find("tail"); it != query.end()) {
    const char* end = it->second.data() + it->second.size();
    const auto [stop, error] = std::from_chars(it->second.data(), end, out.tail);
    if (error != std::errc() || stop != end || out.tail > kLogTailMax)
      return fail(ErrorCode::kInvalidArgument,
                  "read query: tail must be 0 to " + std::to_string(kLogTailMax));
  }
  if (const auto it = query.find("since"); it != query.end()) {
    const auto since = parse_time(it->second);
    if (!since)
      return fail(ErrorCode::kInvalidArgument,
                  "read query: since must be a time such as 2026-11-23T22:04:05Z");
    out.since_unix_ns = *since;
  }
  ASSIGN_OR_RETURN(out.previous, flag_of(query, "previous"));
  return out;
}

}  // namespace

// What several functions said, until all of it is there.
struct ApiHandler::Gathering {
  bool one = false;  // of one function, whose failure is the answer
  bool follow = false;
  std::size_t outstanding = 0;
  std::vector<LogRecord> records;

  // In the order of their times; those of one function stay in theirs. At most kLogTailMax.
  void sort() {
    std::stable_sort(records.begin(), records.end(),
                     [](const auto& a, const auto& b) { return a.unix_ns < b.unix_ns; });
    if (records.size() > kLogTailMax)
      records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(kLogTailMax));
  }
};

Result<std::optional<std::set<std::string>>> ApiHandler::selected(const Parameters& query) {
  const auto text = query.find("selector");
  if (text == query.end()) return std::optional<std::set<std::string>>();
  ASSIGN_OR_RETURN(const auto selector, manifest::Selector::parse(text->second));
  std::set<std::string> names;
  for (const FunctionView& view : plane_.list_functions()) {
    const auto& metadata = view.manifest.metadata();
    if (selector.selects(metadata.labels())) names.insert(metadata.name());
  }
  return std::optional(std::move(names));
}

void ApiHandler::logs(ExchangeId id, Exchange& exchange) {
  const auto query = log_query(exchange.query);
  if (!query) return answer(id, query.error());
  const auto follow = flag_of(exchange.query, "follow");
  if (!follow) return answer(id, follow.error());
  if (*follow && query->previous)
    return answer(
        id, Problem{400, "invalid-argument", "read query: a pod that ended cannot be followed"});
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  std::set<std::string> names = selection->value_or(std::set<std::string>());
  const auto name = exchange.match.path.find("name");
  const bool one = name != exchange.match.path.end();
  if (one) names = {name->second};
  if (!one && !*selection)
    return answer(id, Problem{400, "invalid-argument", "read query: needs selector"});
  if (*follow && !may_stream(id)) return;
  gather_logs(id, exchange, *query, names, one, *follow);
}

// All are asked and followed in one turn: what is said while the answers are on their way waits
// behind them.
void ApiHandler::gather_logs(ExchangeId id, Exchange& exchange, LogQuery query,
                             const std::set<std::string>& names, bool one, bool follow) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->one = one;
  gathering->follow = follow;
  gathering->outstanding = names.size();
  transition(exchange, Exchange::State::kWaiting);
  if (follow) {
    const auto send = [this, id, names](const LogRecord& record) {
      if (names.contains(record.function)) send_line(id, to_json(record));
    };
    exchange.subscription = plane_.subscribe_logs(one ? *names.begin() : std::string(), send);
  }
  if (names.empty()) return logs_gathered(id, *gathering);
  for (const std::string& name : names) {
    query.function = name;
    plane_.logs(query, [this, id, gathering](Result<std::vector<LogRecord>> records) {
      if (find(id) == nullptr) return;
      if (!records && gathering->one) {
        plane_.unsubscribe(find(id)->subscription);
        return answer(id, records.error());
      }
      if (records)  // else it was removed meanwhile
        std::move(records->begin(), records->end(), std::back_inserter(gathering->records));
      if (gathering->records.size() > 2 * kLogTailMax) gathering->sort();
      if (--gathering->outstanding == 0) logs_gathered(id, *gathering);
    });
  }
}

void ApiHandler::logs_gathered(ExchangeId id, Gathering& gathering) {
  if (!gathering.one) gathering.sort();
  std::string lines;
  for (const LogRecord& record : gathering.records) lines += to_json(record) + "\n";
  Exchange& exchange = *find(id);
  lines += std::exchange(exchange.backlog, {});
  begin_stream(id, exchange, lines, !gathering.follow);
}

// Requests may end faster than anybody reads: those that come while the connection is full are left
// out, and counted in the next line.
void ApiHandler::requests(ExchangeId id, Exchange& exchange) {
  const std::string& name = exchange.match.path.at("name");
  if (const auto known = plane_.get_function(name); !known) return answer(id, known.error());
  if (!may_stream(id)) return;
  begin_stream(id, exchange, "", false);
  exchange.subscription = plane_.subscribe_requests(name, [this, id](const RequestRecord& record) {
    Exchange* follower = find(id);
    if (follower == nullptr) return;
    if (follower->full) {
      ++follower->missed;
    } else {
      send_line(id, to_json(record, std::exchange(follower->missed, 0)));
    }
  });
}

void ApiHandler::list_exceptions(ExchangeId id, const Exchange& exchange) {
  const auto function = exchange.query.find("function");
  const std::string name = function == exchange.query.end() ? "" : function->second;
  if (!name.empty()) {
    if (const auto known = plane_.get_function(name); !known) return answer(id, known.error());
  }
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  std::vector<ExceptionView> views = plane_.list_exceptions(name);
  std::erase_if(views, [&](const ExceptionView& view) {
    return *selection && !(*selection)->contains(view.function);
  });
  answer(id, 200, to_json(views));
}

}  // namespace subito::api
