// subito token create|list|revoke
#include <algorithm>
#include <memory>

#include "deploy/access/scopes.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr char kDefaultLifetime[] = "90d";
constexpr char kNever[] = "never";

const std::vector<std::string> kTokenVerbs = {"create", "list", "revoke"};

struct TokenOptions {
  std::string verb;
  std::string name;
  std::vector<std::string> scopes;
  std::string expires = kDefaultLifetime;
  bool quiet = false;
  Output output;
};

// "90d", "12h" as durations of manifests, or "never": 0.
Result<std::int64_t> lifetime_seconds(const std::string& text) {
  if (text == kNever) return std::int64_t{0};
  if (!text.empty() && text.back() == 'd') {
    const std::string days = text.substr(0, text.size() - 1);
    const bool right = !days.empty() && days.size() <= 4 &&
                       days.find_first_not_of("0123456789") == std::string::npos;
    if (right && std::stoi(days) > 0) return std::stoi(days) * kDaySeconds;
  } else if (const auto ms = manifest::parse_duration_ms(text); ms && *ms >= 1000) {
    return *ms / 1000;
  }
  return fail(ErrorCode::kInvalidArgument,
              "is '" + text + "', allowed is a time from 1s on, like 30d or 12h, or never");
}

std::string scopes_of(const Json& token) {
  std::string all;
  for (const Json& scope : token.at("scopes"))
    all += (all.empty() ? "" : " ") + printable(scope.get<std::string>());
  return all;
}

int create(const Session& session, const TokenOptions& options) {
  const Json body = {{"name", options.name},
                     {"scopes", options.scopes},
                     {"lifetimeSeconds", lifetime_seconds(options.expires).value_or(0)}};
  const auto made = session.node().call("POST", "/v1/tokens", body.dump());
  if (!made) return session.tell(made.error());
  if (options.output.json()) {
    session.out() << made->dump(2) << '\n';
    return kOk;
  }
  // The token alone goes to where programs read, so that $(subito token create ...) is it.
  session.out() << made->at("token").get<std::string>() << '\n';
  if (options.quiet) return kOk;
  session.environment.err << "token " << options.name << " may " << scopes_of(*made) << ", "
                          << (options.expires == kNever ? "and does not expire"
                                                        : "for " + options.expires)
                          << "; it is not shown again\n";
  return kOk;
}

int list(const Session& session, const TokenOptions& options) {
  Node node = session.node();
  const auto tokens = node.get("/v1/tokens");
  if (!tokens) return session.tell(tokens.error());
  if (options.output.json()) {
    session.out() << tokens->dump(2) << '\n';
    return kOk;
  }
  const Json& items = tokens->at("items");
  if (items.empty()) {
    session.out() << "no tokens: `subito token create NAME --scope NAMESPACE:deploy` makes one\n";
    return kOk;
  }
  Table table({"NAME", "SCOPES", "AGE", "EXPIRES", "LAST USED", "CREATED BY"});
  for (const Json& token : items) {
    const bool expired = token.value("expired", false);
    const std::string expires = !token.contains("expires") ? "never"
                                : expired                  ? "expired"
                                          : "in " + session.time_until(token.at("expires"));
    const std::string used =
        token.contains("lastUsed") ? session.age(token.at("lastUsed")) + " ago" : "-";
    table.add(
        {printable(token.value("name", "")), scopes_of(token), session.age(token.at("created")),
         expires, used, printable(token.value("createdBy", ""))},
        expired ? Colour::kRed : Colour::kNone, 3);
  }
  table.print(session.out(), session.colours());
  return kOk;
}

int revoke(const Session& session, const TokenOptions& options) {
  const auto gone = session.node().call("DELETE", "/v1/tokens/" + encoded(options.name), "");
  if (!gone) return session.tell(gone.error());
  session.out() << "token " << options.name << " is revoked\n";
  return kOk;
}

int token(const Session& session, const TokenOptions& options) {
  if (options.verb == "list") return list(session, options);
  if (options.name.empty())
    return session.tell(kUsage, "token " + options.verb + ": say the NAME of a token");
  if (options.verb == "revoke") return revoke(session, options);
  if (options.scopes.empty())
    return session.tell(kUsage, "token create " + options.name +
                                    ": say what it may do: --scope default:deploy, for one");
  return create(session, options);
}

void add_create_options(CLI::App& command, TokenOptions& options) {
  command
      .add_option(
          "--scope", options.scopes,
          "with create: what it may do, and where: NAMESPACE:read, invoke, deploy or admin; "
          "'*' is all namespaces; several times for several")
      ->type_name("NAMESPACE:VERB")
      ->expected(1)
      ->take_all()
      ->check([](const std::string& text) {
        const auto scope = access::parse_scope(text);
        return scope ? std::string() : scope.error().message;
      });
  command
      .add_option("--expires", options.expires,
                  "with create: how long it is good: 30d, 12h, or never")
      ->type_name("TIME")
      ->capture_default_str()
      ->check([](const std::string& text) {
        const auto seconds = lifetime_seconds(text);
        return seconds ? std::string() : seconds.error().message;
      });
  command.add_flag("-q,--quiet", options.quiet, "with create: print the token and nothing else");
}

}  // namespace

void add_token(CLI::App& app, Session& session) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App& command =
      *app.add_subcommand("token", "Who may ask over the network: token create|list|revoke [NAME]");
  command.group("Access");
  add_verb(command, kTokenVerbs, options->verb);
  command.add_option("NAME", options->name, "the token, as lists and the audit log call it")
      ->type_name("");
  add_create_options(command, *options);
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return token(session, *options); };
  });
}

}  // namespace subito::cli
