// The tables that `get` and `describe` print.
#include "deploy/cli/session.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {

namespace {

constexpr std::size_t kShortHash = 12;

std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return "-";
  return it->is_string() ? printable(it->get<std::string>()) : it->dump();
}

// What functions say of themselves may have many lines; a cell has one.
std::string line_of(const Json& object, const char* key) {
  const std::string whole = text(object, key);
  return whole.substr(0, whole.find('\n'));
}

std::string short_hash(const Json& object) {
  return text(object, "artefact").substr(0, kShortHash);
}

std::string start_words(const Json& pod) {
  const double micros = pod.value("startMicros", 0.0);
  return (micros > 0 ? time_words(micros) + " " : "") + text(pod, "startMode");
}

std::string scaling_words(const Json& function) {
  const Json scaling = function.at("manifest").at("spec").value("scaling", Json::object());
  return text(scaling, "min") + "-" + text(scaling, "max");
}

// "/shop, /cart"; "-" for none: it answers below its name alone.
std::string routes_words(const Json& function) {
  std::string words;
  for (const Json& route : function.at("manifest").at("spec").value("routes", Json::array()))
    words += (words.empty() ? "" : ", ") + text(route, "path");
  return words.empty() ? "-" : words;
}

// The first cell is a function's: by its plain name, its namespace in front or not.
void name_function(const Session& session, bool all, const Json& item, const char* key,
                   std::vector<std::string>& cells) {
  const std::string name = item.value(key, "");
  const manifest::QualifiedName parts = manifest::split_qualified(name);
  cells.front() = printable(all ? parts.name : session.shown(name));
  if (all) cells.insert(cells.begin(), printable(parts.name_space));
}

}  // namespace

Table functions_table(const Session& session, const Json& items, bool wide, bool all) {
  std::vector<std::string> header = {"FUNCTION", "STATE",  "PODS",     "WAITING",
                                     "REQUESTS", "FAILED", "REVISION", "AGE"};
  if (all) header.insert(header.begin(), "NAMESPACE");
  if (wide) header.insert(header.end(), {"START", "SCALE", "BINARY", "URL", "ROUTES"});
  Table table(header);
  for (const Json& item : items) {
    const Json& pods = item.at("pods");
    const int count = pods.value("starting", 0) + pods.value("idle", 0) + pods.value("busy", 0) +
                      pods.value("draining", 0);
    std::vector<std::string> cells = {
        text(item, "name"),           text(item, "state"),
        std::to_string(count),        text(item, "waiting"),
        text(item, "requestsServed"), text(item, "requestsFailed"),
        text(item, "revision"),       session.age(item.value("deployedAt", Json()))};
    name_function(session, all, item, "name", cells);
    const std::string url = text(item, "url");
    if (wide)
      cells.insert(cells.end(), {text(item.at("manifest").at("spec"), "start"), scaling_words(item),
                                 short_hash(item), url.empty() ? "-" : url, routes_words(item)});
    table.add(std::move(cells), colour_of_state(text(item, "state")), all ? 2 : 1);
  }
  return table;
}

std::vector<std::string> urls_of(const std::string& url, const std::vector<std::string>& routes) {
  if (url.empty()) return {};
  const std::size_t authority = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', authority), url.size());
  std::vector<std::string> urls;
  if (url.compare(path, 10, "/function/") == 0) urls.push_back(url);
  for (const std::string& route : routes) urls.push_back(url.substr(0, path) + route);
  return urls;
}

Table pods_table(const Session& session, const Json& items, bool wide) {
  std::vector<std::string> header = {"POD",       "STATE",  "START", "REQUESTS",
                                     "IN FLIGHT", "MEMORY", "AGE"};
  if (wide) header.insert(header.end(), {"FUNCTION", "REVISION"});
  Table table(header);
  for (const Json& item : items) {
    const auto memory = item.value("memoryBytes", std::uint64_t{0});
    std::vector<std::string> cells = {text(item, "name"),
                                      text(item, "state"),
                                      start_words(item),
                                      text(item, "requestsServed"),
                                      text(item, "inFlight"),
                                      memory == 0 ? "-" : size_words(memory),
                                      session.age(item.value("startedAt", Json()))};
    if (wide) cells.insert(cells.end(), {text(item, "function"), text(item, "revision")});
    table.add(std::move(cells), colour_of_state(text(item, "state")), 1);
  }
  return table;
}

Table exceptions_table(const Session& session, const Json& items, bool wide, bool all) {
  std::vector<std::string> header = {"FUNCTION", "TYPE",    "COUNT", "FIRST",
                                     "LAST",     "REQUEST", "PLACE"};
  if (all) header.insert(header.begin(), "NAMESPACE");
  if (wide) header.insert(header.end(), {"POD", "REVISION", "TRACE", "MESSAGE"});
  Table table(header);
  for (const Json& item : items) {
    const std::string place = line_of(item, "place");
    std::vector<std::string> cells = {text(item, "function"),
                                      line_of(item, "type"),
                                      text(item, "count"),
                                      session.age(item.value("firstSeen", Json())),
                                      session.age(item.value("lastSeen", Json())),
                                      line_of(item, "requestId"),
                                      place.empty() ? "-" : place};
    name_function(session, all, item, "function", cells);
    if (wide) {
      cells.insert(cells.end(), {text(item, "pod"), text(item, "revision"), text(item, "traceId"),
                                 line_of(item, "message")});
    }
    table.add(std::move(cells), Colour::kRed, all ? 2 : 1);
  }
  return table;
}

Table revisions_table(const Session& session, const Json& items, bool all) {
  std::vector<std::string> header = {"FUNCTION", "REVISION", "CURRENT", "TRAFFIC", "BINARY", "AGE"};
  if (all) header.insert(header.begin(), "NAMESPACE");
  Table table(header);
  for (const Json& item : items) {
    const bool current = item.value("current", false);
    const int percent = item.value("trafficPercent", 0);
    std::vector<std::string> cells = {
        text(item, "function"), text(item, "number"),
        current ? "yes" : "",   percent == 0 ? "-" : std::to_string(percent) + " %",
        short_hash(item),       session.age(item.value("createdAt", Json()))};
    name_function(session, all, item, "function", cells);
    table.add(std::move(cells), current ? Colour::kGreen : Colour::kNone, all ? 3 : 2);
  }
  return table;
}

}  // namespace subito::cli
