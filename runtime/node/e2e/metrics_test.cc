// /metrics as Prometheus and its tools take it, and `subito top` on a terminal.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <filesystem>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kOpenMetrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

// The port in "WORDS127.0.0.1:PORT"; 0: it does not say so.
std::uint16_t port_behind(const std::string& said, const std::string& words) {
  const std::size_t at = said.find(words + "127.0.0.1:");
  if (at == said.npos) return 0;
  return static_cast<std::uint16_t>(std::stoi(said.substr(at + words.size() + 10)));
}

// Debian's, of the package prometheus.
constexpr char kPrometheus[] = "/usr/bin/prometheus";
constexpr char kPromtool[] = "/usr/bin/promtool";

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() : node({"--metrics", "127.0.0.1:0"}) {}
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    node.start();
    port = port_behind(node.output(), "metrics at http://");
    ASSERT_NE(port, 0) << node.output();
  }
  void call(const std::string& name, int times) const {
    HttpClient client = node.client();
    for (int i = 0; i < times; ++i) ASSERT_EQ(client.get("/function/" + name).status, 200);
  }
  HttpResponse scrape(const std::string& accept) const {
    return HttpClient(port).request("GET", "/metrics", {}, {{"accept", accept}});
  }

  LiveNode node;
  std::uint16_t port = 0;
};

TEST_F(MetricsTest, AreServedOnTheirPortAndTheControlSocketAndNowhereElse) {
  node.deploy("echo", "echo");
  call("echo", 5);
  const HttpResponse answer = scrape("*/*");
  EXPECT_EQ(answer.field("content-type"), kOpenMetrics);
  EXPECT_THAT(answer.body,
              HasSubstr("subito_function_requests_total{function=\"echo\",code=\"2xx\"} 5\n"));
  EXPECT_THAT(answer.body,
              HasSubstr("subito_http_requests_total{route=\"/function/*\",code=\"2xx\"} "
                        "5\n"));
  EXPECT_THAT(answer.body, EndsWith("# EOF\n"));
  EXPECT_EQ(HttpClient(port).get("/v1/functions").status, 404)
      << "metrics, and nothing but metrics";
  EXPECT_EQ(HttpClient(port).get("/function/echo").status, 404);
  EXPECT_EQ(node.client().get("/metrics").status, 404) << "the gateway is for anybody";
  const Ran over_socket =
      run_program({"/usr/bin/curl", "-s", "--unix-socket", node.socket(), "http://subito/metrics"});
  EXPECT_THAT(over_socket.out, EndsWith("# EOF\n"));
}

TEST_F(MetricsTest, PromtoolHasNothingToSay) {
  if (!fs::exists(kPromtool)) GTEST_SKIP() << "promtool is not installed";
  node.deploy("echo", "echo");
  node.deploy("crash", "misbehave");
  call("echo", 3);
  node.client().get("/function/crash/crash/abort");
  const std::string file = testing::TempDir() + "metrics-test-page";
  write_file(file, scrape("text/plain").body);
  const Ran ran = run_program({"/bin/sh", "-c", "promtool check metrics <" + file});
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.err, "");
  fs::remove(file);
}

// A Prometheus with a folder of its own, killed with the object.
class Prometheus {
 public:
  explicit Prometheus(std::uint16_t target) : folder_(testing::TempDir() + "metrics-test-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << "make " << folder_;
    write_file(folder_ + "/prometheus.yml",
               "global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: subito\n"
               "    static_configs: [{targets: ['127.0.0.1:" +
                   std::to_string(target) + "']}]\n");
    process_ =
        Child({kPrometheus, "--config.file=" + folder_ + "/prometheus.yml",
               "--storage.tsdb.path=" + folder_ + "/data", "--storage.tsdb.retention.size=64MB",
               "--web.listen-address=127.0.0.1:0", "--log.level=info"},
              folder_ + "/out", folder_ + "/err");
    EXPECT_TRUE(eventually([this] { return (port_ = listens_at()) != 0; })) << said();
  }
  ~Prometheus() {
    process_.signal(SIGTERM);
    EXPECT_TRUE(process_.wait()) << "prometheus does not end";
    fs::remove_all(folder_);
  }
  Json ask(const std::string& path) const {
    const HttpResponse answer = HttpClient(port_).get(path);
    return Json::parse(answer.body, nullptr, false);
  }
  // The value of a query with one result; -1: it has none.
  double value(const std::string& query) const {
    const Json answer = ask("/api/v1/query?query=" + query);
    if (answer.is_discarded() || answer.value("status", "") != "success") return -1;
    const Json& results = answer.at("data").at("result");
    return results.size() == 1 ? std::stod(results[0].at("value")[1].get<std::string>()) : -1;
  }
  std::string said() const { return read_file(folder_ + "/err"); }

 private:
  std::uint16_t listens_at() const { return port_behind(said(), "msg=\"Listening on\" address="); }
  std::string folder_;
  Child process_;
  std::uint16_t port_ = 0;
};

TEST_F(MetricsTest, ARealPrometheusScrapesTheNode) {
  if (!fs::exists(kPrometheus)) GTEST_SKIP() << "prometheus is not installed";
  node.deploy("echo", "echo");
  call("echo", 7);
  const Prometheus prometheus(port);
  EXPECT_TRUE(eventually([&] {
    return prometheus.value("subito_function_requests_total%7Bcode%3D%222xx%22%7D") == 7;
  })) << prometheus.said();
  const Json targets = prometheus.ask("/api/v1/targets").at("data").at("activeTargets");
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0].at("lastError"), "");
  EXPECT_EQ(targets[0].at("health"), "up");
  // What it knows of a name it has from the heads of the page.
  const Json about = prometheus.ask("/api/v1/metadata?metric=subito_function_memory_bytes");
  const Json& told = about.at("data").at("subito_function_memory_bytes").at(0);
  EXPECT_EQ(told.at("type"), "gauge");
  EXPECT_EQ(told.at("unit"), "bytes");
  EXPECT_THAT(prometheus.said(), Not(HasSubstr("level=warn component=\"scrape manager\"")));
}

// A terminal of its own for a program.
class Pty {
 public:
  explicit Pty(const std::vector<std::string>& arguments) {
    winsize size{24, 100, 0, 0};
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    int slave = -1;
    if (::openpty(&master_, &slave, nullptr, nullptr, &size) != 0) ADD_FAILURE() << "openpty";
    slave_ = slave;
    ::tcgetattr(slave_, &before_);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(master_);
    ::login_tty(slave);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ~Pty() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    ::close(master_);
    ::close(slave_);
  }
  void type(const std::string& keys) const {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // All that came, once `words` came; or not, in time.
  std::string until(const std::string& words) {
    eventually([&] {
      pollfd readable{master_, POLLIN, 0};
      char bytes[4096];
      while (::poll(&readable, 1, 0) == 1 && (readable.revents & POLLIN) != 0) {
        const ssize_t got = ::read(master_, bytes, sizeof bytes);
        if (got <= 0) break;
        said_.append(bytes, static_cast<std::size_t>(got));
      }
      return said_.find(words) != said_.npos;
    });
    return said_;
  }
  // Its exit code; -1: it does not end.
  int wait() {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (ended) pid_ = -1;
    return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool is_as_before() const {
    termios now{};
    ::tcgetattr(slave_, &now);
    return now.c_lflag == before_.c_lflag && now.c_cc[VMIN] == before_.c_cc[VMIN];
  }

 private:
  int master_ = -1;
  int slave_ = -1;
  pid_t pid_ = -1;
  termios before_{};
  std::string said_;
};

TEST_F(MetricsTest, TopIsLiveOnATerminalAndLeavesItAsItWas) {
  node.deploy("echo", "echo");
  call("echo", 3);
  for (const std::string end : {"q", "\x03"}) {  // the second is Ctrl-C
    Pty terminal({subito_binary(), "top", "--socket", node.socket(), "--interval", "0.2"});
    const std::string first = terminal.until("q ends");
    EXPECT_THAT(first, HasSubstr("\x1b[?1049h"));
    EXPECT_THAT(first, HasSubstr("FUNCTION"));
    EXPECT_THAT(first, HasSubstr("echo"));
    EXPECT_FALSE(terminal.is_as_before());
    terminal.type("m");
    terminal.type(end);
    EXPECT_EQ(terminal.wait(), 0);
    EXPECT_THAT(terminal.until("\x1b[?1049l"), HasSubstr("\x1b[?1049l"));
    EXPECT_TRUE(terminal.is_as_before());
  }
}

TEST_F(MetricsTest, TopPrintsOnceWhereNoTerminalIs) {
  node.deploy("echo", "echo");
  call("echo", 4);
  const Json top = node.json({"top", "--interval", "0", "-o", "json"});
  EXPECT_EQ(top.at("items")[0].at("function"), "echo");
  EXPECT_GT(top.at("items")[0].at("requestsPerSecond"), 0);
  EXPECT_GT(top.at("items")[0].at("p99Seconds"), 0);
  EXPECT_GT(top.at("items")[0].at("memoryBytes"), 10'000);
}

}  // namespace
}  // namespace subito::e2e
