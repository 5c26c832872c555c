// A node by TLS, as curl and its own command line meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "runtime/node/e2e/live_node.h"
#include "runtime/tls/certificates.h"

namespace subito::e2e {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr int kRequests = 400;  // of each client, while certificates change
constexpr int kReloads = 25;

// Files of a certificate, in a folder that goes with it.
class Files {
 public:
  Files() : folder_(testing::TempDir() + "subito-tls-e2e-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    write("ca.pem", authority_.certificate());
    put("first");
  }
  ~Files() { fs::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    write_file(path(name) + ".new", text);
    ::chmod((path(name) + ".new").c_str(), mode);
    fs::rename(path(name) + ".new", path(name));
  }
  void put(const std::string& subject) const {
    tls::Issue issue;
    issue.subject = subject;
    const tls::IssuedPair pair = authority_.issue(issue);
    write("node.crt", pair.certificate);
    write("node.key", pair.key);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  tls::Authority authority_;
  std::string folder_;
};

class TlsTest : public testing::Test {
 protected:
  explicit TlsTest(const std::string& loops = "1")
      : node({"--loops", loops, "--tls-listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0",
              "--tls-cert", files.path("node.crt"), "--tls-key", files.path("node.key")}) {}
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    node.start();
    url = said_url("\nby TLS at ");
    api = said_url("API by TLS at ");
    ASSERT_FALSE(url.empty() || api.empty()) << node.output();
    node.deploy("echo", "echo");
  }
  // What it said last: it may have been started anew.
  std::string said_url(const std::string& words) const {
    const std::string said = "\n" + node.output();
    const std::size_t at = said.rfind(words + "https://127.0.0.1:");
    if (at == said.npos) return "";
    const std::size_t from = at + words.size();
    return said.substr(from, said.find('\n', from) - from);
  }
  Ran curl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/curl", "-sS", "--cacert", files.path("ca.pem")});
    return run_program(arguments);
  }
  // Who shows a certificate now.
  std::string subject() const {
    const std::string said = curl({"-v", url + "/function/echo"}).err;
    const std::size_t at = said.find("subject: CN=");
    return at == said.npos ? said : said.substr(at + 12, said.find('\n', at) - at - 12);
  }
  Ran remote(std::vector<std::string> arguments, const std::string& authority = "ca.pem") const {
    arguments.insert(arguments.begin(), subito_binary());
    arguments.insert(arguments.end(), {"--server", api, "--ca", files.path(authority)});
    return run_program(arguments);
  }

  Files files;
  LiveNode node;
  std::string url, api;
};

// Two loops: handshakes and certificates of both.
class TlsLoopsTest : public TlsTest {
 protected:
  TlsLoopsTest() : TlsTest(::sysconf(_SC_NPROCESSORS_ONLN) < 2 ? "1" : "2") {}
};

TEST_F(TlsLoopsTest, EachLoopServesTheCertificateThatIsThereNow) {
  for (const char* wanted : {"first", "second"}) {
    if (wanted == std::string("second")) {
      files.put(wanted);
      node.process().signal(SIGHUP);
      ASSERT_TRUE(eventually([&] { return subject() == wanted; })) << subject();
    }
    for (int i = 0; i < 12; ++i) EXPECT_EQ(subject(), wanted);
  }
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(curl({url + "/function/echo", "-d", "hello"}).out, "hello");
}

TEST_F(TlsTest, FunctionsAreCalledByTlsAndAsBefore) {
  for (const char* version : {"--tlsv1.3", "--tlsv1.2"}) {
    const Ran ran = curl({version, url + "/function/echo", "-d", "hello"});
    EXPECT_EQ(ran.out, "hello") << ran.err;
  }
  EXPECT_EQ(node.client().post("/function/echo", "plain").body, "plain");
  const std::string large(4 << 20, 'x');
  files.write("large", large);
  const Ran sent = curl({url + "/function/echo", "-T", files.path("large")});
  EXPECT_TRUE(sent.out == large) << sent.out.size() << sent.err;
  const Ran plain = curl({"http" + url.substr(5) + "/function/echo"});
  EXPECT_THAT(plain.out, HasSubstr("was sent plain HTTP"));
  EXPECT_EQ(run_program({"/usr/bin/curl", "-sS", url}).exit_code, 60) << "who does not trust it";
}

TEST_F(TlsTest, CertificatesChangeUnderLoadAndNoRequestIsLost) {
  std::vector<Child> clients;
  const std::string many = url + "/function/echo?n=[1-" + std::to_string(kRequests) + "]";
  const auto name = [&](std::size_t i) { return files.path("codes-" + std::to_string(i)); };
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<std::string> arguments = {
        "/usr/bin/curl", "-sS", "--cacert", files.path("ca.pem"), "-w", "%{http_code}\n", "-o",
        "/dev/null",     many};
    // Two make a connection for each request, one keeps its own.
    if (i > 0) arguments.insert(arguments.end(), {"-H", "Connection: close"});
    clients.emplace_back(arguments, name(i), name(i) + ".err");
  }
  for (int i = 0; i < kReloads; ++i) {
    files.put("round" + std::to_string(i));
    node.process().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return subject() == "round" + std::to_string(i); })) << subject();
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i].wait(), 0) << read_file(name(i) + ".err");
    const std::string codes = read_file(name(i));
    std::string good;
    for (int n = 0; n < kRequests; ++n) good += "200\n";
    EXPECT_EQ(codes, good);
  }
}

TEST_F(TlsTest, APairThatCannotBeUsedIsToldAndTheOldOneStays) {
  files.write("node.crt", "nothing of the kind");
  node.process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return node.output().find("the certificate in use stays: read certificate ") !=
           std::string::npos;
  }));
  EXPECT_EQ(subject(), "first");
  files.put("second");  // nobody says so: it is seen
  EXPECT_TRUE(eventually([&] { return subject() == "second"; }));
}

TEST_F(TlsTest, TheApiOfOtherMachinesIsClosedToWhoShowsNothing) {
  const Ran closed = remote({"get", "functions"});
  EXPECT_NE(closed.exit_code, 0);
  EXPECT_EQ(closed.out, "");
  for (const char* path : {"/v1/functions", "/v1/version", "/metrics", "/function/echo", "/"}) {
    const Ran ran = curl({"-o", "/dev/null", "-w", "%{http_code}", api + path});
    EXPECT_EQ(ran.out, "401") << path;
  }
  files.write("other.pem", tls::Authority("other").certificate());
  const Ran stranger = remote({"get", "functions"}, "other.pem");
  EXPECT_EQ(stranger.exit_code, 4) << stranger.err;
  EXPECT_THAT(stranger.err, HasSubstr("its certificate is not signed by "));
}

class TokenTest : public TlsTest {
 protected:
  std::string token(const std::string& name, const std::string& scope) const {
    Ran made = node.cli({"token", "create", name, "--scope", scope, "-q"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    made.out.resize(made.out.find('\n'));
    return made.out;
  }
  // On another machine, which knows two variables and who signs certificates.
  Ran with_token(const std::string& token, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/env", "SUBITO_SERVER=" + api, "SUBITO_TOKEN=" + token,
                      "SUBITO_CA=" + files.path("ca.pem"), subito_binary()});
    return run_program(arguments, seconds(40));
  }
  std::string status(const std::string& where, const std::string& token) const {
    std::vector<std::string> all = {"-o", "/dev/null", "-w", "%{http_code}", where};
    if (!token.empty()) all.insert(all.end(), {"-H", "Authorization: Bearer " + token});
    return curl(all).out;
  }
};

TEST_F(TokenTest, WhoeverDeploysFromAnotherMachineNeedsATokenThatMayAndIsWrittenDown) {
  const std::string reader = token("reader", "default:read"), ci = token("ci", "default:deploy");
  files.write("greet.yaml",
              "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: greet}\n"
              "spec: {binary: " +
                  function_binary("echo") + "}\n");
  const std::vector<std::string> deploy = {"deploy", "-f", files.path("greet.yaml")};
  const Ran refused = with_token(reader, deploy);
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("it needs scope"));
  const Ran done = with_token(ci, deploy);
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_THAT(with_token(reader, {"get", "functions"}).out, HasSubstr("greet"));
  EXPECT_EQ(with_token(ci, {"invoke", "greet", "/", "-d", "hello"}).out, "hello");
  EXPECT_THAT(with_token(ci, {"token", "list"}).err, HasSubstr("it needs scope *:admin"));
  EXPECT_EQ(status(api + "/metrics", ci), "403");
  EXPECT_EQ(status(api + "/metrics", token("prometheus", "*:read")), "200");

  EXPECT_EQ(node.cli({"token", "revoke", "ci"}).exit_code, 0);
  EXPECT_NE(with_token(ci, {"get", "functions"}).exit_code, 0);
  const std::string audit = node.cli({"audit"}).out;
  EXPECT_THAT(audit, HasSubstr("token ci"));
  EXPECT_THAT(audit, HasSubstr("default/greet"));
  EXPECT_THAT(audit, HasSubstr("refused 401: revoked token"));
  EXPECT_THAT(node.cli({"audit", "--verify"}).out, HasSubstr("none of them changed or missing"));
}

// In one record, and in many.
TEST_F(TokenTest, ASecretThatCameByTlsIsInNoCoreOfTheNode) {
  if (::access("/usr/bin/gcore", X_OK) != 0) GTEST_SKIP() << "SKIPPED: gdb is not installed";
  const std::string admin = token("admin", "default:admin"), known = "never-told-to-anybody-0816";
  std::string many;
  while (many.size() < (200 << 10)) many += known + "\n";
  for (const std::string& value : {known, many}) {
    files.write("value", value);
    const Ran set =
        with_token(admin, {"secret", "set", "bank", "value", "--from-file", files.path("value")});
    ASSERT_EQ(set.exit_code, 0) << set.err;
  }
  const std::string prefix = files.path("core");
  const Ran dumped =
      run_program({"/usr/bin/gcore", "-o", prefix, std::to_string(node.pid())}, seconds(60));
  const std::string memory = read_file(prefix + "." + std::to_string(node.pid()));
  EXPECT_NE(memory.find(node.data()), std::string::npos) << dumped.out << dumped.err;
  EXPECT_EQ(memory.find(known), std::string::npos);
}

TEST_F(TokenTest, TokensAndTheAuditLogSurviveKillMinusNine) {
  const std::string ci = token("ci", "default:read");
  node.kill();
  node.start();
  api = said_url("API by TLS at ");
  EXPECT_EQ(with_token(ci, {"get", "functions"}).exit_code, 0);
  EXPECT_THAT(node.cli({"audit"}).out, HasSubstr("token.create"));
  EXPECT_THAT(node.cli({"audit", "--verify"}).out, HasSubstr("none of them changed or missing"));
}

TEST_F(TokenTest, AFunctionThatAsksForATokenIsClosedToOthersAndOthersAreNot) {
  node.deploy("guarded", "echo", "auth: token");
  const std::string caller = token("caller", "default:invoke");
  const std::string reader = token("reader", "default:read");
  const std::string where = url + "/function/guarded";
  EXPECT_EQ(status(where, ""), "401");
  EXPECT_EQ(status(where, "subito_wrong"), "401");
  EXPECT_EQ(status(where, reader), "403");
  EXPECT_EQ(node.pods_started("guarded"), 0U) << "a refused call started a pod";
  EXPECT_EQ(status(where, caller), "200");
  EXPECT_EQ(status(url + "/function/echo", ""), "200");
  EXPECT_EQ(node.cli({"invoke", "guarded", "/", "-d", "owner"}).out, "owner");
}

TEST_F(TlsTest, ATokenOpensTheApiOfOtherMachinesToAllThatTheSocketServes) {
  Ran made = node.cli({"token", "create", "ci", "--scope", "*:admin"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  made.out.pop_back();  // the end of its line
  ::setenv("SUBITO_TOKEN", made.out.c_str(), 1);
  const Ran list = remote({"get", "functions"});
  EXPECT_THAT(list.out, HasSubstr("echo")) << list.err;
  EXPECT_EQ(remote({"invoke", "echo", "-d", "from afar"}).out, "from afar");
  const std::string seen = files.path("seen");
  node.deploy("misbehave", "misbehave");
  {
    const Child follower(
        {subito_binary(), "logs", "misbehave", "-f", "--server", api, "--ca", files.path("ca.pem")},
        seen, seen + ".err");
    EXPECT_TRUE(eventually([&] {
      curl({"-o", "/dev/null", url + "/function/misbehave/noise"});
      return !read_file(seen).empty();
    })) << read_file(seen + ".err");
  }
  ::setenv("SUBITO_TOKEN", (made.out + "x").c_str(), 1);
  EXPECT_EQ(remote({"get", "functions"}).out, "");
  ::unsetenv("SUBITO_TOKEN");
}

TEST(TlsStart, IsRefusedWithWhatIsWrong) {
  if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
  const Files files;
  fs::permissions(files.path("node.key"), fs::perms::others_read, fs::perm_options::add);
  const Ran open = run_program({subito_binary(), "up", "--data", files.path("data"), "--tls-listen",
                                "127.0.0.1:0", "--tls-cert", files.path("node.crt"), "--tls-key",
                                files.path("node.key")});
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_THAT(open.err, HasSubstr("others may read or change it; close it: chmod 600 "));
}

}  // namespace
}  // namespace subito::e2e
