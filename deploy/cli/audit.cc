// subito audit [-f] [--since AGE] [--tail N] [--verify]
#include <memory>

#include "deploy/access/audit_files.h"
#include "deploy/api/time_text.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

struct AuditOptions {
  std::string since;
  std::size_t tail = 100;
  bool follow = false;
  bool verify = false;
  Output output;
};

constexpr std::int64_t kNanosPerMilli = 1'000'000;

// An age, or a time, as the API takes it.
Outcome<std::string> audit_since(const Session& session, const std::string& since) {
  if (api::parse_time(since)) return since;
  const auto age = manifest::parse_duration_ms(since);
  if (age) return api::time_text(session.environment.now_unix_ns() - *age * kNanosPerMilli);
  return tl::unexpected<Failure>(
      Failure{kUsage,
              "audit: --since " + age.error().message + ", or a time such as 2026-11-23T22:04:05Z",
              {}});
}

std::string target_words(const Json& line) {
  const std::string name_space = line.value("namespace", ""), target = line.value("target", "");
  return printable(name_space.empty() || target.empty() ? name_space + target
                                                        : name_space + "/" + target);
}

std::string outcome_words(const Json& line) {
  std::string words = line.value("outcome", "");
  if (line.contains("status")) words += " " + line.at("status").dump();
  if (line.contains("reason")) words += ": " + line.at("reason").get<std::string>();
  return printable(words);
}

std::vector<std::string> cells_of(const Json& line) {
  return {line.value("time", ""),
          printable(line.value("actor", "")),
          printable(line.value("from", "")),
          printable(line.value("action", "")),
          target_words(line),
          outcome_words(line)};
}

Colour colour_of(const Json& line) {
  return line.value("outcome", "") == "done" ? Colour::kNone : Colour::kYellow;
}

int show(const Session& session, const std::vector<Json>& lines) {
  if (lines.empty()) {
    session.out() << "nothing is written down: nobody changed anything, nobody was refused\n";
    return kOk;
  }
  Table table({"TIME", "WHO", "FROM", "WHAT", "OF", "OUTCOME"});
  for (const Json& line : lines) table.add(cells_of(line), colour_of(line), 5);
  table.print(session.out(), session.colours());
  return kOk;
}

// One line each, as nobody knows how wide the next will be.
std::string text_of(const Json& line, bool colours) {
  std::string text;
  for (const std::string& cell : cells_of(line)) {
    if (!cell.empty()) text += (text.empty() ? "" : "  ") + cell;
  }
  return coloured(text, colour_of(line), colours);
}

// Also a line that a power cut tore is one of the chain.
int verify(const Session& session, const std::string& path) {
  std::size_t lines = 0;
  std::string text;
  const auto read = session.node().stream_text(path, [&](std::string_view line) {
    ++lines;
    text += std::string(line) + "\n";
    return true;
  });
  if (!read) return session.tell(read.error());
  const auto faults = access::check_chain(text);
  if (!faults.empty()) return session.tell(kFailed, faults);
  session.out() << lines << " lines, none of them changed or missing\n";
  return kOk;
}

int follow(const Session& session, const std::string& path, bool json) {
  const auto ended = session.node().follow(path, [&](const Json& value, std::string_view line) {
    session.out() << (json ? std::string(line) : text_of(value, session.colours())) << std::endl;
    return session.out().good();
  });
  if (!ended) return session.tell(ended.error());
  return session.out().good() ? kOk : kFailed;  // nobody reads what we print
}

int audit(const Session& session, const AuditOptions& options) {
  const std::size_t tail = options.verify ? access::kAuditTailMax : options.tail;
  std::string path = "/v1/audit?tail=" + std::to_string(tail);
  if (!options.since.empty()) {
    const auto since = audit_since(session, options.since);
    if (!since) return session.tell(since.error());
    path += "&since=" + encoded(*since);
  }
  if (options.verify && options.follow)
    return session.tell(kUsage, "audit: say --follow or --verify, not both");
  if (options.verify) return verify(session, path);
  if (options.follow) return follow(session, path + "&follow=true", options.output.json());
  std::vector<Json> lines;
  Node node = session.node();
  const auto read = node.stream(path, [&](const Json& value, std::string_view line) {
    if (options.output.json())
      session.out() << line << '\n';
    else
      lines.push_back(value);
    return true;
  });
  if (!read) return session.tell(read.error());
  return options.output.json() ? kOk : show(session, lines);
}

}  // namespace

void add_audit(CLI::App& app, Session& session) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App& command =
      *app.add_subcommand("audit", "Who changed what, and who was refused; newest last");
  command.group("Access");
  command.add_flag("-f,--follow", options->follow, "stay and print what comes");
  command.add_option("--since", options->since, "from then on: 10m, 24h, or a time")
      ->type_name("AGE");
  command.add_option("--tail", options->tail, "the last so many")
      ->check(CLI::Range(std::size_t{1}, access::kAuditTailMax))
      ->capture_default_str();
  command.add_flag("--verify", options->verify,
                   "check that none of the last 10,000 lines was changed or taken away");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return audit(session, *options); };
  });
}

}  // namespace subito::cli
