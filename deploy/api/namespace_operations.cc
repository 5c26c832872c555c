// What the operations on namespaces do.
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "deploy/api/api_handler.h"
#include "deploy/api/request_body.h"
#include "deploy/manifest/selector.h"

namespace subito::api {

namespace {

using OrderedJson = nlohmann::ordered_json;

// A limit in the body of a request; absent when it is not there.
template <typename Number>
Result<std::optional<Number>> limit_in(const OrderedJson& json, const char* key) {
  if (!json.contains(key)) return std::optional<Number>();
  const OrderedJson& value = json[key];
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() <= std::numeric_limits<Number>::max())
    return std::optional<Number>(value.get<Number>());
  return fail(ErrorCode::kInvalidArgument,
              std::string("read body: ") + key + " must be a whole number; 0: no limit");
}

Result<std::optional<std::vector<std::string>>> hosts_in(const OrderedJson& json) {
  const auto list = json.find("hosts");
  if (list == json.end()) return std::optional<std::vector<std::string>>();
  const auto wrong =
      fail(ErrorCode::kInvalidArgument, "read body: hosts must be a list of names of hosts");
  if (!list->is_array()) return wrong.value();
  std::vector<std::string> hosts;
  for (const OrderedJson& host : *list) {
    if (!host.is_string()) return wrong.value();
    hosts.push_back(host.get<std::string>());
  }
  return std::optional(std::move(hosts));
}

Result<NamespaceChange> parse_change(const OrderedJson& json) {
  NamespaceChange change;
  ASSIGN_OR_RETURN(change.pods, limit_in<std::uint32_t>(json, "pods"));
  ASSIGN_OR_RETURN(change.memory_bytes, limit_in<std::uint64_t>(json, "memoryBytes"));
  ASSIGN_OR_RETURN(change.cpu_millicores, limit_in<std::uint32_t>(json, "cpuMillicores"));
  ASSIGN_OR_RETURN(change.requests_per_s, limit_in<std::uint32_t>(json, "requestsPerSecond"));
  ASSIGN_OR_RETURN(change.hosts, hosts_in(json));
  return change;
}

Result<manifest::Namespace> parse_namespace(const std::string& body) {
  ASSIGN_OR_RETURN(const auto json,
                   parse_object(body, {"name", "pods", "memoryBytes", "cpuMillicores",
                                       "requestsPerSecond", "hosts"}));
  const auto name = json.find("name");
  if (name == json.end() || !name->is_string())
    return fail(ErrorCode::kInvalidArgument, "read body: needs name");
  ASSIGN_OR_RETURN(NamespaceChange change, parse_change(json));
  manifest::Namespace wanted{name->get<std::string>()};
  wanted.quota = {change.pods.value_or(0), change.memory_bytes.value_or(0),
                  change.cpu_millicores.value_or(0), change.requests_per_s.value_or(0)};
  wanted.hosts = std::move(change.hosts).value_or(std::vector<std::string>());
  return wanted;
}

}  // namespace

void ApiHandler::run_namespaces(ExchangeId id, Exchange& exchange) {
  const auto name = exchange.match.path.find("namespace");
  switch (exchange.match.route->operation) {
    case Operation::kListNamespaces:
      return answer(id, 200, to_json(plane_.list_namespaces()));
    case Operation::kCreateNamespace:
      return create_namespace(id, exchange);
    case Operation::kGetNamespace:
      return answer_namespace(id, name->second, 200);
    case Operation::kSetNamespace:
      return set_namespace(id, exchange);
    case Operation::kDeleteNamespace:
      return delete_namespace(id, exchange);
    default:
      return run_what_was_said(id, exchange);
  }
}

void ApiHandler::answer_namespace(ExchangeId id, const std::string& name, int status) {
  const auto view = plane_.get_namespace(name);
  if (!view) return answer(id, view.error());
  answer(id, status, to_json(*view));
}

void ApiHandler::create_namespace(ExchangeId id, Exchange& exchange) {
  const auto wanted = parse_namespace(exchange.body);
  if (!wanted) return answer(id, wanted.error());
  if (exchange.audit) exchange.audit->target = wanted->name;
  const auto left = plane_.create_namespace(*wanted);
  if (!left) return answer(id, left.error());
  if (exchange.audit) write_down_leftovers(exchange, *left);
  answer_namespace(id, wanted->name, 201);
}

// Whoever made the namespace did not ask for that.
void ApiHandler::write_down_leftovers(Exchange& exchange, const NamespaceLeftovers& left) {
  NamespaceView old;
  old.objects = left.objects;
  if (const std::string words = contents_words(old); !words.empty())
    exchange.audit->reason = words + " deleted: left by an older namespace of that name";
  write_down_cut(*exchange.audit, left.tokens,
                 "namespace " + exchange.audit->target + " was made, and was there before");
}

void ApiHandler::set_namespace(ExchangeId id, const Exchange& exchange) {
  const std::string name = exchange.match.path.at("namespace");
  const auto json = parse_object(
      exchange.body, {"pods", "memoryBytes", "cpuMillicores", "requestsPerSecond", "hosts"});
  if (!json) return answer(id, json.error());
  const auto change = parse_change(*json);
  if (!change) return answer(id, change.error());
  if (auto set = plane_.set_namespace(name, *change); !set) return answer(id, set.error());
  answer_namespace(id, name, 200);
}

void ApiHandler::delete_namespace(ExchangeId id, Exchange& exchange) {
  const auto all = flag_in(exchange.query, "all");
  if (!all) return answer(id, all.error());
  transition(exchange, Exchange::State::kWaiting);
  const std::string& name = exchange.match.path.at("namespace");
  plane_.delete_namespace(
      name, *all,
      [this, id, by = exchange.audit ? *exchange.audit : access::AuditRecord()](const auto& gone) {
        if (!gone) return answer(id, gone.error());
        write_down_cut(by, *gone, "namespace " + by.target + " was deleted");
        answer(id, 200,
               OrderedJson{{"tokensRevoked", gone->revoked}, {"tokensNarrowed", gone->narrowed}}
                   .dump());
      });
}

// Of the namespace that the query says, and of these those of its selector and its function: what
// lies in another namespace is never told, whatever else is asked for.
Result<Selection> ApiHandler::selected(const Parameters& query) {
  Selection selection;
  ASSIGN_OR_RETURN(const bool all, flag_in(query, "allNamespaces"));
  const auto wanted = query.find("namespace");
  if (all && wanted != query.end())
    return fail(ErrorCode::kInvalidArgument,
                "read query: needs either namespace or allNamespaces, not both");
  if (wanted != query.end()) selection.name_space = wanted->second;
  if (all) selection.name_space.clear();
  if (!all) RETURN_IF_ERROR(plane_.namespace_is_there(selection.name_space));
  const auto function = query.find("function");
  if (function != query.end()) {
    const std::string& name = function->second;
    if (!selection.contains(name))
      return fail(ErrorCode::kInvalidArgument,
                  "read query: function " + name + " is not in namespace " + selection.name_space);
    ASSIGN_OR_RETURN(const auto known, plane_.get_function(name));
    static_cast<void>(known);
    selection.names = std::set{name};
  }
  const auto text = query.find("selector");
  if (text == query.end()) return selection;
  ASSIGN_OR_RETURN(const auto selector, manifest::Selector::parse(text->second));
  std::set<std::string> names;
  for (const FunctionView& view : plane_.list_functions()) {
    const auto& metadata = view.manifest.metadata();
    const std::string name = manifest::qualified_name(metadata);
    if (selection.contains(name) && selector.selects(metadata.labels())) names.insert(name);
  }
  selection.names = std::move(names);
  return selection;
}

}  // namespace subito::api
