#include "deploy/cli/session.h"

#include "deploy/api/time_text.h"
#include "deploy/manifest/selector.h"

namespace subito::cli {

bool Session::colours() const {
  const auto no_color = environment.variable("NO_COLOR");  // https://no-color.org
  return environment.out_is_terminal && !(no_color && !no_color->empty());
}

std::string Session::socket_path() const {
  if (!socket.empty()) return socket;
  const auto variable = environment.variable("SUBITO_SOCKET");
  if (variable && !variable->empty()) return *variable;
  // The node of `./dev up`, for who stands in the checkout.
  if (environment.exists && environment.exists(kCheckoutSocket)) return kCheckoutSocket;
  return std::string(kDefaultData) + "/api.sock";
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

std::string selector_query(const std::string& selector) {
  return "selector=" + encoded(selector);
}

}  // namespace subito::cli
