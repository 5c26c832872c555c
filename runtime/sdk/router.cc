// Router of subito/function.h: a tree of path segments. One request visits a tree node at most
// once, so that no path is expensive to match.
#include <algorithm>
#include <stdexcept>

#include "runtime/sdk/include/subito/function.h"
#include "runtime/sdk/text.h"

namespace subito {
namespace {

struct Route {
  std::string method;
  std::vector<std::string> names;  // of the parameters, from left to right
  Handler handler;
};

std::string_view without_slash(std::string_view path) {
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return path;
}

// Cuts the first segment off; `rest` is what stands behind its slash, nothing if there was none.
std::string_view first_segment(std::string_view path, std::optional<std::string_view>& rest) {
  const auto slash = path.find('/');
  rest = slash == std::string_view::npos ? std::nullopt : std::optional(path.substr(slash + 1));
  return path.substr(0, slash);
}

// "{id}" gives "id", "{rest...}" gives "rest..."; a literal gives nothing.
std::optional<std::string> parameter_name(std::string_view segment) {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') return std::nullopt;
  return std::string(segment.substr(1, segment.size() - 2));
}

bool is_rest(const std::string& name) {
  return name.ends_with("...");
}

}  // namespace

struct Router::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<Route> routes;       // of paths that end here
  std::vector<Route> rest_routes;  // of paths that go on anyhow

  Node& child(const std::string& literal) {
    for (auto& [name, node] : literals) {
      if (name == literal) return *node;
    }
    return *literals.emplace_back(literal, std::make_unique<Node>()).second;
  }
};

namespace {

// Looks a path up. The first route with the right method wins; what other methods the path knows
// is gathered for Allow.
template <typename Node>
class Search {
 public:
  explicit Search(std::string_view method) : method_(method) {}

  const Route* visit(const Node& node, std::optional<std::string_view> path) {
    if (!path) return choose(node.routes);
    std::optional<std::string_view> rest;
    const std::string segment = sdk::percent_decode(first_segment(*path, rest), false);
    for (const auto& [literal, child] : node.literals) {
      if (literal != segment) continue;
      if (const Route* found = visit(*child, rest)) return found;
    }
    if (node.parameter && !segment.empty()) {
      values_.push_back(segment);
      if (const Route* found = visit(*node.parameter, rest)) return found;
      values_.pop_back();
    }
    values_.push_back(sdk::percent_decode(*path, false));
    if (const Route* found = choose(node.rest_routes)) return found;
    values_.pop_back();
    return nullptr;
  }

  const std::vector<std::string>& values() const { return values_; }
  std::string allow() const {
    std::string all;
    for (const auto& method : methods_) all += method + ", ";
    return all + "OPTIONS";
  }
  bool found_path() const { return !methods_.empty(); }

 private:
  const Route* choose(const std::vector<Route>& routes) {
    for (const Route& route : routes) {
      if (route.method == method_) return &route;
      note(route.method);
      if (route.method == "GET") note("HEAD");
    }
    if (method_ != "HEAD") return nullptr;
    const auto get = std::find_if(routes.begin(), routes.end(),
                                  [](const Route& route) { return route.method == "GET"; });
    return get == routes.end() ? nullptr : &*get;
  }

  void note(std::string_view method) {
    if (method == "OPTIONS" || std::count(methods_.begin(), methods_.end(), method) != 0) return;
    methods_.emplace_back(method);
  }

  std::string_view method_;
  std::vector<std::string> values_;
  std::vector<std::string> methods_;
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

Router& Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  Route route{std::string(method), {}, std::move(handler)};
  Node* node = root_.get();
  std::optional<std::string_view> rest = without_slash(pattern);
  while (rest) {
    const std::string_view segment = first_segment(*rest, rest);
    const auto name = parameter_name(segment);
    if (!name) {
      node = &node->child(std::string(segment));
      continue;
    }
    if (is_rest(*name)) {
      if (rest) throw std::invalid_argument("add route: something follows {" + *name + "}");
      route.names.push_back(name->substr(0, name->size() - 3));
      node->rest_routes.push_back(std::move(route));
      return *this;
    }
    route.names.push_back(*name);
    if (!node->parameter) node->parameter = std::make_unique<Node>();
    node = node->parameter.get();
  }
  node->routes.push_back(std::move(route));
  return *this;
}

Router& Router::get(std::string_view pattern, Handler handler) {
  return add("GET", pattern, std::move(handler));
}
Router& Router::post(std::string_view pattern, Handler handler) {
  return add("POST", pattern, std::move(handler));
}
Router& Router::put(std::string_view pattern, Handler handler) {
  return add("PUT", pattern, std::move(handler));
}
Router& Router::del(std::string_view pattern, Handler handler) {
  return add("DELETE", pattern, std::move(handler));
}

Response Router::operator()(const Request& request, Context& context) const {
  Search<Node> search(request.method());
  const Route* route = search.visit(*root_, without_slash(request.path()));
  if (route != nullptr) {
    request.params_.clear();
    for (std::size_t i = 0; i < route->names.size(); ++i) {
      request.params_[route->names[i]] = search.values()[i];
    }
    return route->handler(request, context);
  }
  if (!search.found_path()) {
    return Response::problem(404, "not-found", "nothing is at " + request.path());
  }
  if (request.method() == "OPTIONS") return Response(204).header("allow", search.allow());
  return Response::problem(405, "method-not-allowed",
                           request.path() + " does not take " + request.method())
      .header("allow", search.allow());
}

}  // namespace subito
