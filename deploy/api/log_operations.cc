// The operations that tell what functions said: logs, requests, exceptions.
#include <algorithm>
#include <memory>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"
#include "runtime/base/check.h"
#include "runtime/base/time.h"

namespace subito::api {

namespace {

Result<LogQuery> log_query(const Parameters& query) {
  LogQuery out;
  ASSIGN_OR_RETURN(out.tail, tail_in(query, kLogTailMax, out.tail));
  ASSIGN_OR_RETURN(out.since_unix_ns, since_in(query, out.since_unix_ns));
  ASSIGN_OR_RETURN(out.previous, flag_in(query, "previous"));
  return out;
}

std::string left_out_line(const std::string& function, std::string message) {
  LogRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = function;
  record.level = LogLevel::kWarning;
  record.stream = LogStream::kSystem;
  record.message = std::move(message);
  return to_json(record) + "\n";
}

}  // namespace

// What several functions said: one is asked after the other, so that no more than one answer is on
// its way and their sum has a bound.
struct ApiHandler::Gathering {
  bool one = false;  // of one function, whose failure is the answer
  bool follow = false;
  LogQuery query;                // of each
  std::set<std::string> to_ask;  // the asked ones are followed: what they say from then on waits
  std::set<std::string> names;
  std::vector<LogRecord> records;
  std::size_t bytes = 0;  // of the records

  void add(std::vector<LogRecord>&& more) {
    for (const LogRecord& record : more) bytes += size_of(record);
    std::move(more.begin(), more.end(), std::back_inserter(records));
    if (records.size() > 2 * kLogTailMax) sort();
  }
  // In the order of their times; those of one function stay in theirs. At most kLogTailMax.
  void sort() {
    std::stable_sort(records.begin(), records.end(),
                     [](const auto& a, const auto& b) { return a.unix_ns < b.unix_ns; });
    if (records.size() <= kLogTailMax) return;
    records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(kLogTailMax));
    bytes = 0;
    for (const LogRecord& record : records) bytes += size_of(record);
  }
  bool follows(const std::string& name) const {
    return names.contains(name) && !to_ask.contains(name);
  }

 private:
  static std::size_t size_of(const LogRecord& record) {
    return sizeof record + record.message.size() + record.fields_json.size();
  }
};

void ApiHandler::logs(ExchangeId id, Exchange& exchange) {
  const auto query = log_query(exchange.query);
  if (!query) return answer(id, query.error());
  const auto follow = flag_in(exchange.query, "follow");
  if (!follow) return answer(id, follow.error());
  if (*follow && query->previous)
    return answer(
        id, Problem{400, "invalid-argument", "read query: a pod that ended cannot be followed"});
  const auto name = exchange.match.path.find("name");
  const bool one = name != exchange.match.path.end();
  std::set<std::string> names;
  if (one) {
    names = {name->second};
  } else {
    const auto selection = selected(exchange.query);
    if (!selection) return answer(id, selection.error());
    if (!selection->names)
      return answer(id, Problem{400, "invalid-argument", "read query: needs selector"});
    names = *selection->names;
  }
  if (*follow && !may_stream(id)) return;
  const auto gathering = std::make_shared<Gathering>();
  gathering->one = one;
  gathering->follow = *follow;
  gathering->query = *query;
  gathering->names = std::move(names);
  begin_gathering(id, exchange, gathering);
}

void ApiHandler::begin_gathering(ExchangeId id, Exchange& exchange,
                                 const std::shared_ptr<Gathering>& gathering) {
  // Of a tail of nothing there is nothing to ask, but whether the one is there.
  if (gathering->one || gathering->query.tail > 0) gathering->to_ask = gathering->names;
  transition(exchange, Exchange::State::kWaiting);
  if (gathering->follow) {
    const auto send = [this, id, gathering](const LogRecord& record) {
      if (gathering->follows(record.function)) send_line(id, to_json(record));
    };
    exchange.subscription =
        plane_.subscribe_logs(gathering->one ? *gathering->names.begin() : std::string(), send);
  }
  gather_logs(id, gathering);
}

// Each is asked and followed in one turn: what it says while its answer is on its way waits behind
// that.
void ApiHandler::gather_logs(ExchangeId id, const std::shared_ptr<Gathering>& gathering) {
  if (gathering->to_ask.empty() || gathering->bytes >= kGatheredBytesMax)
    return logs_gathered(id, *gathering);
  const auto next = gathering->to_ask.extract(gathering->to_ask.begin());
  gathering->query.function = next.value();
  plane_.logs(gathering->query, [this, id, gathering](Result<std::vector<LogRecord>> records) {
    if (find(id) == nullptr) return;
    // Of several, one that fails was removed meanwhile, or has no pod that ended.
    if (!records && (gathering->one || records.error().code == ErrorCode::kResourceExhausted)) {
      plane_.unsubscribe(find(id)->subscription);
      return answer(id, records.error());
    }
    if (records) gathering->add(*std::move(records));
    gather_logs(id, gathering);
  });
}

void ApiHandler::logs_gathered(ExchangeId id, Gathering& gathering) {
  if (!gathering.one) gathering.sort();
  Exchange& exchange = *find(id);
  std::string lines;
  if (!gathering.to_ask.empty())
    lines +=
        left_out_line(*gathering.to_ask.begin(),
                      "left out are older lines of " + std::to_string(gathering.to_ask.size()) +
                          (gathering.to_ask.size() == 1 ? " function" : " functions") +
                          ": one answer has about " + std::to_string(kGatheredBytesMax >> 20) +
                          " MiB; ask for fewer by tail, since or selector");
  gathering.to_ask.clear();
  for (const LogRecord& record : std::exchange(gathering.records, {}))
    lines += to_json(record) + "\n";
  lines += std::exchange(exchange.backlog, {});
  if (const std::uint64_t missed = std::exchange(exchange.missed, 0); missed > 0)
    lines += left_out_line(*gathering.names.begin(),
                           "left out are " + std::to_string(missed) +
                               " lines that were said while older ones were on their way");
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
  const auto selection = selected(exchange.query);
  if (!selection) return answer(id, selection.error());
  std::vector<ExceptionView> views = plane_.list_exceptions(name);
  std::erase_if(views,
                [&](const ExceptionView& view) { return !selection->contains(view.function); });
  answer(id, 200, to_json(views));
}

}  // namespace subito::api
