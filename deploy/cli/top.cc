// subito top [-l SELECTOR] [-A] [--interval SECONDS] [--sort KEY] [-o json]
#include <poll.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "deploy/cli/confirm.h"
#include "deploy/cli/interrupt.h"
#include "deploy/cli/session.h"
#include "deploy/cli/terminal.h"
#include "deploy/cli/top_view.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {
namespace {

constexpr double kIntervalMax = 60;
constexpr double kLiveIntervalMin = 0.2;  // a page of a full node takes some of it
constexpr std::size_t kAllRows = static_cast<std::size_t>(-1);
// The lines about the table: headline, empty line, its header, the keys.
constexpr std::size_t kFrameLines = 4;
constexpr char kKeys[] =
    "sort: r rate, 5 p50, 9 p99, e errors, p pods, w waiting, s starts, m memory, n name; q ends";

struct TopOptions {
  double interval = 2;
  std::string sort = "rate";
  std::string selector;
  bool all_namespaces = false;
  Output output;
};

class Top {
 public:
  Top(const Session& session, const TopOptions& options)
      : session_(session), options_(options), sort_(top_sorts().at(options.sort)) {}

  int run() {
    if (!options_.selector.empty()) {
      Node node = session_.node();
      auto names = chosen_functions(session_, node, "", options_.selector, options_.all_namespaces);
      if (!names) return session_.tell(names.error());
      chosen_ = std::set<std::string>(names->begin(), names->end());
    }
    const bool live = session_.environment.out_is_terminal && !options_.output.json();
    const auto first = look();
    if (!first) return session_.tell(first.error());
    if (live) return watch(*first);
    if (options_.interval <= 0) return print(TopView(nullptr, *first));
    if (!pause(options_.interval, -1)) return kOk;
    const auto second = look();
    if (!second) return session_.tell(second.error());
    return print(TopView(&*first, *second));
  }

 private:
  Outcome<TopSample> look() {
    api::ClientRequest request;
    request.url = std::string(api::kApiUrl) + "/metrics";
    request.give_up = [this] { return interrupt_.came(); };
    TopSample sample;
    sample.unix_ns = session_.environment.now_unix_ns();
    std::string rest;  // of a line whose end is in the next piece
    const auto reply =
        session_.connect(session_.endpoint())->receive(request, [&](std::string_view piece) {
          rest += piece;
          std::size_t from = 0;
          for (std::size_t end; (end = rest.find('\n', from)) != rest.npos; from = end + 1) {
            sample.add_line(std::string_view(rest).substr(from, end - from));
          }
          rest.erase(0, from);
          return true;
        });
    if (!reply) return tl::make_unexpected(failure_of(reply.error(), session_.endpoint()));
    if (reply->status != 200) {
      return tl::make_unexpected(
          Failure{kFailed, "read metrics: the node answered " + std::to_string(reply->status), {}});
    }
    std::erase_if(sample.functions, [this](const auto& one) { return !is_meant(one.first); });
    return sample;
  }

  bool is_meant(const std::string& function) const {
    if (chosen_) return chosen_->contains(function);
    return options_.all_namespaces ||
           manifest::split_qualified(function).name_space == session_.namespace_in_use();
  }

  int print(TopView view) const {
    view.sort(sort_);
    if (options_.output.json()) {
      session_.out() << view.json().dump(2) << '\n';
    } else {
      session_.out() << view.headline() << "\n\n";
      view.table(kAllRows).print(session_.out(), session_.colours());
    }
    return kOk;
  }

  int watch(TopSample before) {
    Terminal terminal(session_.out(), STDIN_FILENO, STDOUT_FILENO);
    TopView view(nullptr, before);  // of its whole life, until there is a second look
    std::string trouble;
    while (session_.out().good()) {
      view.sort(sort_);
      terminal.draw(screen(view, terminal.rows(), trouble));
      const double interval = std::max(options_.interval, kLiveIntervalMin);
      if (!pause(interval, terminal.fd())) return kOk;
      const auto ended = take_keys(terminal);
      if (!ended) return kOk;
      if (*ended) continue;  // another order of the same
      auto after = look();
      trouble = after ? "" : printable(after.error().message);
      if (!after) continue;
      view = TopView(&before, *after);
      before = *std::move(after);
    }
    return kFailed;  // nobody reads what we print
  }

  // Whether some key was pressed; nullopt: the one that ends it.
  std::optional<bool> take_keys(const Terminal& terminal) {
    bool any = false;
    while (const auto key = terminal.key()) {
      any = true;
      if (*key == 'q' || *key == 'Q') return std::nullopt;
      if (const auto sort = top_sort_of_key(*key)) sort_ = *sort;
    }
    return any;
  }

  std::string screen(const TopView& view, std::size_t rows, const std::string& trouble) const {
    const std::size_t room = rows > kFrameLines ? rows - kFrameLines : 1;
    std::ostringstream text;
    text << view.headline() << "\n\n";
    view.table(room).print(text, session_.colours());
    const std::string last = trouble.empty() ? kKeys : trouble.substr(0, trouble.find('\n'));
    text << coloured(last, trouble.empty() ? Colour::kGrey : Colour::kRed, session_.colours());
    return text.str();
  }

  // False: somebody wants it to end. A key, where there are any, ends the pause.
  bool pause(double seconds, int keys) {
    pollfd watched[] = {{interrupt_.fd(), POLLIN, 0}, {keys, POLLIN, 0}};
    ::poll(watched, 2, static_cast<int>(std::lround(seconds * 1000)));
    return !interrupt_.came();
  }

  const Session& session_;
  const TopOptions& options_;
  TopSort sort_;
  std::optional<std::set<std::string>> chosen_;  // by -l, when it began
  Interrupt interrupt_;
};

}  // namespace

void add_top(CLI::App& app, Session& session) {
  auto options = std::make_shared<TopOptions>();
  CLI::App& command = *app.add_subcommand(
      "top", "Who is busy: rate, latency, errors, pods, starts, memory; live on a terminal");
  command.group("Looking");
  command
      .add_option("--interval", options->interval,
                  "between two looks; 0: once, of all the time since the node began")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, kIntervalMax))
      ->capture_default_str();
  std::vector<std::string> sorts;
  for (const auto& [name, sort] : top_sorts()) sorts.push_back(name);
  command.add_option("--sort", options->sort, "by what, the most first")
      ->check(CLI::IsMember(sorts))
      ->capture_default_str();
  add_selector_option(command, options->selector);
  add_all_namespaces_option(command, options->all_namespaces);
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return Top(session, *options).run(); };
  });
}

}  // namespace subito::cli
