#include "deploy/cli/session.h"

#include <sys/stat.h>
#include <unistd.h>

#include "deploy/api/time_text.h"
#include "deploy/cli/contexts.h"
#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/selector.h"

namespace subito::cli {

namespace {

// To an endpoint that is not known: asks nobody.
class NoTransport final : public api::Transport {
 public:
  explicit NoTransport(const std::string& fault) : error_{ErrorCode::kInvalidArgument, fault, 0} {}
  Result<api::ClientReply> send(const api::ClientRequest&) override { return error_; }
  Result<api::ClientReply> stream(const api::ClientRequest&,
                                  const std::function<bool(std::string_view)>&) override {
    return error_;
  }
  Result<api::ClientReply> receive(const api::ClientRequest&,
                                   const std::function<bool(std::string_view)>&) override {
    return error_;
  }

 private:
  const Error error_;
};

// What just lies in the folder where somebody stands may be anybody's: it gets no token. Nor is it
// asked without one: root would do as the owner what a token was to allow or not.
std::string fault_of_strangers(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0 || info.st_uid == 0 || info.st_uid == ::geteuid()) return "";
  return "connect: " + file + " of this folder is uid " + std::to_string(info.st_uid) +
         "'s, who would see SUBITO_TOKEN; `--socket " + file +
         "` shows it all the same, without SUBITO_TOKEN nothing is shown";
}

}  // namespace

bool Session::colours() const {
  const auto no_color = environment.variable("NO_COLOR");  // https://no-color.org
  return environment.out_is_terminal && !(no_color && !no_color->empty());
}

api::Endpoint Session::endpoint() const {
  api::Endpoint found;
  found.token = variable("SUBITO_TOKEN");
  if (socket.empty()) found.server = server.empty() ? variable("SUBITO_SERVER") : server;
  if (!found.server.empty()) {
    while (found.server.back() == '/' && found.server.size() > 1) found.server.pop_back();
    found.ca_file = ca.empty() ? variable("SUBITO_CA") : ca;
    return found;
  }
  found.socket_path = socket.empty() ? variable("SUBITO_SOCKET") : socket;
  if (!found.socket_path.empty()) return found;
  if (auto chosen = context_endpoint()) return *std::move(chosen);
  // The node of `./dev up`, for who stands in the checkout.
  const bool checkout = environment.exists && environment.exists(kCheckoutSocket);
  found.socket_path = checkout ? kCheckoutSocket : std::string(kDefaultData) + "/api.sock";
  if (checkout && !found.token.empty()) found.fault = fault_of_strangers(kCheckoutSocket);
  return found;
}

// Where `subito login` or `context use` said. What it says is not known of a file that cannot be
// read, nor of a context that is not in it: no other node is asked in place of the one it may name.
std::optional<api::Endpoint> Session::context_endpoint() const {
  const std::string path = contexts_path(environment.variable);
  const auto fault = [](const std::string& why) { return api::Endpoint{"", "", "", "", why}; };
  auto contexts = load_contexts(path);
  if (!contexts) return fault(contexts.error().message);
  if (contexts->current.empty()) return std::nullopt;
  const Context* context = contexts->find(contexts->current);
  if (context == nullptr) return fault(lost_context(contexts->current, path));
  const std::string token = variable("SUBITO_TOKEN");
  return api::Endpoint{"", context->server, ca.empty() ? context->ca_file : ca,
                       token.empty() ? context->token : token};
}

std::unique_ptr<api::Transport> Session::connect(const api::Endpoint& where) const {
  if (where.fault.empty()) return environment.connect(where);
  return std::make_unique<NoTransport>(where.fault);
}

Node Session::node() const {
  const api::Endpoint where = endpoint();
  return {connect(where), where};
}

Outcome<std::string> Session::local_socket(const std::string& command) const {
  const api::Endpoint where = endpoint();
  if (!where.fault.empty()) return tl::unexpected<Failure>(Failure{kUsage, where.fault, {}});
  if (where.server.empty()) return where.socket_path;
  return tl::unexpected<Failure>(
      Failure{kUsage,
              command + ": it works on the machine of the node alone, by its socket, not with " +
                  where.server,
              {}});
}

std::string Session::namespace_in_use() const {
  if (!name_space.empty()) return name_space;
  const auto variable = environment.variable("SUBITO_NAMESPACE");
  return variable && !variable->empty() ? *variable : manifest::kNamespace;
}

// A namespace that -n says stands behind whatever is there: what contradicts it is not found.
std::string Session::qualified(const std::string& name) const {
  const manifest::QualifiedName parts = manifest::split_qualified(name);
  const bool says_it = name.find('.') != name.npos;
  if (name.empty()) return name;
  if (!says_it) return manifest::qualified_name(name, namespace_in_use());
  if (name_space.empty() || parts.name_space == name_space)
    return manifest::qualified_name(parts.name, parts.name_space);
  return name + "." + name_space;
}

std::string Session::qualified_pod(const std::string& pod) const {
  const std::size_t dash = pod.rfind('-');
  if (dash == pod.npos || dash == 0) return qualified(pod);
  // "stock-check-3" is the pod with which revision 3 of stock was tried.
  constexpr std::string_view kCheck = "-check";
  const bool check = pod.substr(0, dash).ends_with(kCheck) && dash > kCheck.size();
  const std::size_t end = check ? dash - kCheck.size() : dash;
  return qualified(pod.substr(0, end)) + pod.substr(end);
}

std::string Session::shown(const std::string& qualified) const {
  const manifest::QualifiedName parts = manifest::split_qualified(qualified);
  return parts.name_space == namespace_in_use() ? parts.name : qualified;
}

std::string Session::age(const Json& time) const {
  if (!time.is_string()) return "-";
  const auto then = api::parse_time(time.get<std::string>());
  return then ? age_words(environment.now_unix_ns() - *then) : "-";
}

std::string Session::time_until(const Json& time) const {
  const auto then = api::parse_time(time.get<std::string>());
  const std::int64_t left = then ? *then - environment.now_unix_ns() : 0;
  return left > 0 ? age_words(left) : "";
}

int Session::tell(const Failure& failure) const {
  environment.err << "subito: " << printable(failure.message) << '\n';
  return failure.exit_code;
}

int Session::tell(ExitCode code, const std::vector<std::string>& faults) const {
  for (const std::string& fault : faults) (void)tell(code, fault);
  return code;
}

void add_output_option(CLI::App& command, Output& output, bool with_wide) {
  std::vector<std::string> forms = {"table", "json"};
  if (with_wide) forms.push_back("wide");
  command.add_option("-o,--output", output.form, "table for people, json for programs")
      ->check(CLI::IsMember(forms));
}

void add_selector_option(CLI::App& command, std::string& selector) {
  command
      .add_option(
          "-l,--selector", selector,
          "only functions with such labels: app=shop,tier!=web, tier in (web,cache), !canary")
      ->type_name("SELECTOR")
      ->check([](const std::string& text) {
        const auto parsed = manifest::Selector::parse(text);
        if (!parsed) return parsed.error().message;
        return text.empty() ? std::string("is empty") : std::string();
      });
}

void add_all_namespaces_option(CLI::App& command, bool& all) {
  command.add_flag("-A,--all-namespaces", all, "of all namespaces");
}

std::string function_query(const std::string& qualified) {
  return "namespace=" + encoded(manifest::split_qualified(qualified).name_space) +
         "&function=" + encoded(qualified);
}

std::string pods_beside(const std::string& pod) {
  const std::string function = pod.substr(0, pod.rfind('-'));
  return "/v1/pods?namespace=" + encoded(manifest::split_qualified(function).name_space);
}

std::string namespace_query(const Session& session, bool all) {
  return all ? "allNamespaces=true" : "namespace=" + encoded(session.namespace_in_use());
}

std::string selector_query(const std::string& selector) {
  return "selector=" + encoded(selector);
}

}  // namespace subito::cli
