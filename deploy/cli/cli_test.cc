#include "deploy/cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

TEST_F(CliTest, HelpFitsAScreen) {
  const Printed help = run({"--help"});
  EXPECT_EQ(help.code, kOk);
  EXPECT_LE(std::count(help.out.begin(), help.out.end(), '\n'), 58);
  for (const char* command :
       {"up", "new", "deploy", "invoke", "get", "describe", "logs", "debug", "explain", "scale",
        "delete", "doctor", "bench", "simulate", "version"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("\n  ") + command + " "));
    if (std::string(command) == "bench" || std::string(command) == "simulate") {
      continue;  // these answer their own --help
    }
    const Printed own = run({command, "--help"});
    EXPECT_EQ(own.code, kOk) << command;
    EXPECT_THAT(own.out, HasSubstr(command));
  }
  EXPECT_EQ(run({"help"}).out, help.out);
  EXPECT_THAT(help.out,
              HasSubstr("\n  4 node not reachable   5 manifest, binary or trace refused   130 "));
  EXPECT_EQ(run({}).code, kUsage);
  EXPECT_EQ(run({}).err, help.out);
}

TEST_F(CliTest, AWrongCommandLineIsUsage) {
  EXPECT_EQ(run({"delpoy"}).err,
            "subito: there is no command 'delpoy'; did you mean 'deploy'?\nTry `subito --help`\n");
  const std::vector<std::vector<std::string>> wrong = {
      {"delpoy"},
      {"get"},
      {"get", "nodes"},
      {"get", "pods", "-o", "xml"},
      {"get", "pods", "--nonsense"},
      {"describe"},
      {"logs"},
      {"logs", "catalogue", "-l", "app=shop"},
      {"logs", "-l", "app=shop", "--previous"},
      {"logs", "-l", "app in shop"},
      {"get", "pods", "catalogue", "-l", "app"},
      {"up", "--logs-size", "10"},
      {"up", "--logs-total", "0"},
      {"up", "--logs-age", "1s"},
      {"logs", "catalogue", "--tail", "-1"},
      {"logs", "catalogue", "--since", "yesterday"},
      {"scale", "catalogue"},
      {"scale", "catalogue", "--min", "x"},
      {"scale", "catalogue", "--max", "0"},
      {"delete"},
      {"debug"},
      {"deploy"},
      {"deploy", "hello"},
      {"deploy", "--binary", "x"},
      {"deploy", "hello", "--binary", "x", "-f", "y"},
      {"deploy", "hello", "--binary", "x", "--setting", "novalue"},
      {"deploy", "-f", "y", "--memory", "64Mi"},
      {"deploy", "-f", "y", "--setting", "a=b"},
      {"deploy", "-f", "y", "--max", "3"},
      {"invoke"},
      {"invoke", "catalogue", "-H", "nocolon"},
      {"invoke", "catalogue", "-d", "@/nonexistent"},
      {"invoke", "catalogue", "-d", "@/tmp"},
      {"up", "--listen", "8080"},
      {"up", "--listen", "a:b"},
      {"up", "--pool", "-1"},
      {"up", "--pods", "0"},
      {"up", "--log-level", "loud"}};
  for (const auto& arguments : wrong)
    EXPECT_EQ(run(arguments).code, kUsage) << testing::PrintToString(arguments);
  EXPECT_THAT(run({"get", "pdos"}).err, HasSubstr("did you mean 'pods'?"));
}

TEST_F(CliTest, HelpOfACommandIsItsOwn) {
  EXPECT_EQ(run({"help", "logs"}).out, run({"logs", "--help"}).out);
  EXPECT_THAT(run({"help", "logs"}).out, HasSubstr("--tail 0..10000"));
  EXPECT_THAT(run({"help", "get"}).out, HasSubstr("-o,--output table|json|wide"));
  const Printed wrong = run({"help", "lgos"});
  EXPECT_EQ(wrong.code, kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("there is no command 'lgos'; did you mean 'logs'?"));
  std::vector<std::string> seen;
  hooks_.bench = [&](const std::vector<std::string>& arguments) {
    seen = arguments;
    return 0;
  };
  EXPECT_EQ(run({"help", "bench", "cold-start"}).code, kOk);
  EXPECT_EQ(seen, (std::vector<std::string>{"cold-start", "--help"}));
}

TEST_F(CliTest, AWrongWordIsToldWithWhatIsAllowed) {
  EXPECT_EQ(
      run({"hello"}).err,
      "subito: there is no command 'hello', there are up, new, deploy, dev, invoke, get, describe, "
      "logs, top, health, dead-letters, debug, explain, scale, rollout, traffic, delete, config, "
      "secret, namespace, backup, restore, doctor, bench, simulate, version, token, login, "
      "logout, context, audit\nTry `subito --help`\n");
  EXPECT_THAT(run({"pod"}).err, HasSubstr("no command 'pod'; did you mean 'get pods'?\n"));
  EXPECT_THAT(run({"functions"}).err, HasSubstr("; did you mean 'get functions'?\n"));
  EXPECT_EQ(run({"get"}).err,
            "subito get: KIND is missing: functions, pods, revisions, exceptions or "
            "namespaces\nTry `subito "
            "get --help`\n");
  EXPECT_EQ(run({"logs"}).err, "subito: logs: say the NAME of a function, or -l SELECTOR\n");
  EXPECT_EQ(run({"logs", "--folow"}).err,
            "subito logs: there is no option --folow; did you mean '--follow'?\n"
            "Try `subito logs --help`\n");
  EXPECT_THAT(run({"logs", "x", "--sokcet=y"}).err, HasSubstr("did you mean '--socket'?"));
  EXPECT_THAT(run({"delete", "x", "--elephant"}).err,
              HasSubstr("no option --elephant, there are --ca --file --help --namespace --selector "
                        "--server --socket --version --yes -f -h -l -n -y\n"));
  EXPECT_THAT(run({"delete", "x", "y"}).err, HasSubstr("'y' is one word too many"));
  EXPECT_EQ(run({"deploy", "a/", "b/"}).err,
            "subito deploy: 'b/' is one word too many: one folder at a time, or -f for each\n"
            "Try `subito deploy --help`\n");
}

TEST_F(CliTest, WhatBenchDoesNotKnowIsToldBeforeItRuns) {
  hooks_.bench = [](const std::vector<std::string>&) { return 7; };
  hooks_.see_bench = [](const std::function<void(CLI::App&)>& see) {
    CLI::App app;
    bool flag = false;
    app.require_subcommand(1);
    app.add_subcommand("cold-start", "")->add_flag("--quiet", flag);
    app.add_subcommand("idle-cost", "");
    see(app);
  };
  const Printed frob = run({"bench", "frob"});
  EXPECT_EQ(frob.code, kUsage);
  EXPECT_EQ(frob.err,
            "subito bench: there is no command 'frob', there are cold-start, idle-cost\n"
            "Try `subito bench --help`\n");
  EXPECT_THAT(run({"bench", "coldstart"}).err, HasSubstr("did you mean 'cold-start'?"));
  EXPECT_THAT(run({"bench", "cold-start", "--quite"}).err, HasSubstr("did you mean '--quiet'?"));
  EXPECT_EQ(run({"bench", "cold-start", "--quiet"}).code, 7);
  const Printed twice = run({"bench", "cold-start", "twice"});
  EXPECT_EQ(twice.code, kUsage);
  EXPECT_EQ(twice.err,
            "subito bench cold-start: 'twice' is one word too many\n"
            "Try `subito bench cold-start --help`\n");
  EXPECT_THAT(run({"bench"}).err, HasSubstr("say which: cold-start, idle-cost\n"));
  const Printed help = run({"bench", "cold-start", "--help"});
  EXPECT_EQ(help.code, kOk);
  EXPECT_THAT(help.out, HasSubstr("Usage: subito bench cold-start [OPTIONS]"));
}

TEST_F(CliTest, AValueThatIsNotAllowedIsToldWithThoseThatAre) {
  EXPECT_THAT(run({"up", "--pods", "0"}).err,
              HasSubstr("subito up: --pods: is '0', allowed is 1 to 768\n"));
  EXPECT_THAT(run({"top", "--interval", "-1"}).err,
              HasSubstr("--interval: is '-1', allowed is 0 to 60\n"));
  EXPECT_THAT(run({"top", "--sort", "size"}).err,
              HasSubstr("--sort: is 'size', allowed is errors, memory, name"));
}

TEST_F(CliTest, SimulateParsesItsOwnCommandLine) {
  EXPECT_THAT(run({"simulate"}).err, HasSubstr("this binary was built without it"));
  hooks_.simulate = [](const std::vector<std::string>& arguments) {
    return static_cast<int>(arguments.size()) + 10;
  };
  hooks_.see_simulate = [](const std::function<void(CLI::App&)>& see) {
    CLI::App app;
    bool grid = false;
    app.add_flag("--grid", grid, "all of them");
    see(app);
  };
  EXPECT_EQ(run({"simulate", "--grid"}).code, 11);
  EXPECT_THAT(run({"simulate", "word"}).err, HasSubstr("'word' is one word too many"));
  EXPECT_THAT(run({"simulate", "--gird"}).err, HasSubstr("did you mean '--grid'?"));
  EXPECT_THAT(run({"reference", "cli"}).out, HasSubstr("| `--grid` | all of them |"));
}

TEST_F(CliTest, WithoutANodeEveryCommandSaysHowToStartOne) {
  no_node_ = Error{ErrorCode::kUnavailable, "connect to x: No such file or directory", 2};
  const std::vector<std::vector<std::string>> commands = {
      {"get", "functions"},      {"get", "pods", "-w"},   {"get", "revisions"},
      {"describe", "catalogue"}, {"logs", "catalogue"},   {"scale", "catalogue", "--min", "1"},
      {"delete", "catalogue"},   {"invoke", "catalogue"}, {"debug", "catalogue-7"}};
  for (const auto& arguments : commands) {
    const Printed output = run(arguments);
    EXPECT_EQ(output.code, kNoNode) << arguments[0];
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("reach node at /var/lib/subito/api.sock: no node listens"));
    EXPECT_THAT(output.err, HasSubstr("Start one with `./dev up` or `subito up`"));
  }
  EXPECT_EQ(run({"version"}).code, kOk);
  EXPECT_THAT(run({"version"}).out, HasSubstr("not reachable"));
  no_node_ = Error{ErrorCode::kPermissionDenied, "connect: Permission denied", 13};
  EXPECT_THAT(run({"get", "pods"}).err, HasSubstr("only its owner may, try sudo"));
}

TEST_F(CliTest, AnUnknownFunctionIsNotFoundWithTheNearest) {
  const std::vector<std::vector<std::string>> commands = {{"get", "functions", "catalog"},
                                                          {"get", "pods", "catalog"},
                                                          {"get", "pods", "catalog", "-w"},
                                                          {"get", "revisions", "catalog"},
                                                          {"describe", "catalog"},
                                                          {"logs", "catalog"},
                                                          {"logs", "catalog", "-f"},
                                                          {"scale", "catalog", "--min", "1"},
                                                          {"delete", "catalog"},
                                                          {"invoke", "catalog"}};
  for (const auto& arguments : commands) {
    const Printed output = run(arguments);
    EXPECT_EQ(output.code, kNotFound) << testing::PrintToString(arguments);
    EXPECT_EQ(output.err,
              "subito: find function catalog: there is none; did you mean 'catalogue'?\n");
  }
  EXPECT_THAT(run({"describe", "elephant"}).err, HasSubstr("; see `subito get functions`"));
  plane_.functions.clear();
  EXPECT_THAT(run({"describe", "elephant"}).err, HasSubstr("; nothing is deployed yet"));
}

TEST_F(CliTest, TheSocketComesFromOptionThenVariableThenDefault) {
  run({"get", "pods"});
  EXPECT_EQ(last_socket_, "/var/lib/subito/api.sock");
  files_.insert(".subito/api.sock");
  run({"get", "pods"});
  EXPECT_EQ(last_socket_, ".subito/api.sock") << "the node of this checkout";
  variables_["SUBITO_SOCKET"] = "/tmp/a.sock";
  run({"get", "pods"});
  EXPECT_EQ(last_socket_, "/tmp/a.sock");
  run({"get", "pods", "--socket", "/tmp/b.sock"});
  EXPECT_EQ(last_socket_, "/tmp/b.sock");
  run({"--socket", "/tmp/c.sock", "get", "pods"});
  EXPECT_EQ(last_socket_, "/tmp/c.sock");
}

TEST_F(CliTest, TheServerComesFromOptionThenVariableAndGoesBeforeTheSocketOfVariables) {
  variables_["SUBITO_SOCKET"] = "/tmp/a.sock";
  variables_["SUBITO_SERVER"] = "https://node.example:8443/";
  variables_["SUBITO_CA"] = "/etc/ca.pem";
  variables_["SUBITO_TOKEN"] = "subito_t";
  run({"get", "pods"});
  EXPECT_EQ(last_endpoint_.server, "https://node.example:8443");
  EXPECT_EQ(last_endpoint_.socket_path, "");
  EXPECT_EQ(last_endpoint_.ca_file, "/etc/ca.pem");
  EXPECT_EQ(last_endpoint_.token, "subito_t");
  run({"get", "pods", "--server", "https://other:1", "--ca", "here.pem"});
  EXPECT_EQ(last_endpoint_.server, "https://other:1");
  EXPECT_EQ(last_endpoint_.ca_file, "here.pem");
  run({"get", "pods", "--socket", "/tmp/b.sock"});
  EXPECT_EQ(last_endpoint_.server, "");
  EXPECT_EQ(last_endpoint_.token, "subito_t");
  EXPECT_EQ(run({"get", "pods", "--socket", "/tmp/b.sock", "--server", "https://a"}).code, kUsage);
  EXPECT_THAT(run({"debug", "stock-1"}).err, HasSubstr("on the machine of the node alone"));
  EXPECT_THAT(run({"dev", "."}).err, HasSubstr("not with https://node.example:8443"));
  for (const char* command : {"backup", "restore"}) {
    const Printed refused = run({command, folder_ + "/copy", "--server", "https://a:1"});
    EXPECT_EQ(refused.code, kUsage) << command;
    EXPECT_THAT(refused.err, HasSubstr("on its data folder, not with https://a:1")) << command;
  }
}

TEST_F(CliTest, AServerThatIsNotReachedIsToldAsItIs) {
  no_node_ = Error{ErrorCode::kUnavailable, "connect to https://a: its certificate has run out", 0};
  const Printed printed = run({"get", "pods", "--server", "https://a"});
  EXPECT_EQ(printed.code, kNoNode);
  EXPECT_EQ(printed.err, "subito: connect to https://a: its certificate has run out\n");
  no_node_ = Error{ErrorCode::kPermissionDenied, "connect to https://a: Permission denied", 13};
  const Printed denied = run({"get", "pods", "--server", "https://a"});
  EXPECT_EQ(denied.code, kNoNode);
  EXPECT_EQ(denied.err, "subito: connect to https://a: Permission denied\n");
}

TEST_F(CliTest, WordsOfOtherToolsAreToldWhatTheyAreHere) {
  EXPECT_EQ(run({"stop"}).err,
            "subito: there is no command 'stop'; Ctrl-C ends `subito up`\nTry `subito --help`\n");
  EXPECT_THAT(run({"down"}).err, HasSubstr("; Ctrl-C ends `subito up`\n"));
  EXPECT_THAT(run({"apply"}).err, HasSubstr("; did you mean 'deploy -f FILE'?\n"));
  for (const char* word : {"status", "list", "ls"})
    EXPECT_THAT(run({word}).err, HasSubstr("; did you mean 'get functions'?\n")) << word;
  EXPECT_THAT(run({"scale", "stock", "--idle", "5s"}).err,
              HasSubstr("there is no option --idle; the manifest has it: spec.scaling.idle\n"));
}

TEST_F(CliTest, ScaleAndDelete) {
  EXPECT_EQ(run({"scale", "stock", "--min", "1", "--max", "3"}).out,
            "stock scales from 1 to 3 pods\n");
  const Printed wrong = run({"scale", "stock", "--min", "9"});
  EXPECT_EQ(wrong.code, kFailed);
  EXPECT_EQ(wrong.err, "subito: scale stock: minimum is above maximum; give --max too\n");
  EXPECT_EQ(run({"scale", "stock", "--min", "9", "--max", "2"}).err,
            "subito: scale stock: minimum is above maximum\n");
  EXPECT_EQ(run({"delete", "catalogue"}).out, "catalogue is deleted\n");
  auto& binding = *plane_.functions["stock"].manifest.mutable_spec()->add_bindings();
  binding.set_name("redis");
  binding.mutable_redis();
  EXPECT_EQ(run({"delete", "stock"}).out, "stock is deleted; what it keeps in Redis stays\n");
  EXPECT_EQ(run({"delete", "stock"}).code, kNotFound);
}

TEST_F(CliTest, Invoke) {
  gateway_reply_ = api::ClientReply{
      200,
      {{"server-timing", "queue;dur=0.02, start;desc=pooled;dur=1.1, handler;dur=12.3"},
       {"x-request-id", "abc"}},
      "hello\n"};
  const Printed plain = run({"invoke", "catalogue", "products?limit=2", "-X", "PUT", "-H",
                             "Accept: text/plain", "-d", "body"});
  EXPECT_EQ(plain.code, kOk);
  EXPECT_EQ(plain.out, "hello\n");
  EXPECT_EQ(plain.err, "");
  EXPECT_EQ(gateway_request_.url, "http://subito/function/catalogue/products?limit=2");
  EXPECT_EQ(gateway_request_.method, "PUT");
  EXPECT_EQ(gateway_request_.body, "body");
  EXPECT_EQ(gateway_request_.fields.at(0).second, "text/plain");
  EXPECT_EQ(run({"invoke", "catalogue", "--verbose"}).err,
            "200 OK in 0 µs\n"
            "  request  abc\n"
            "  queue    20 µs\n"
            "  start    1.1 ms pooled\n"
            "  handler  12 ms\n");
  EXPECT_EQ(gateway_request_.method, "GET");
  EXPECT_EQ(gateway_request_.url, "http://subito/function/catalogue");
}

TEST_F(CliTest, InvokeReadsBodiesAndTellsFailures) {
  gateway_reply_ = api::ClientReply{503, {}, "{}"};
  const Printed failed = run({"invoke", "catalogue", "-d", "@" + write("body.txt", "from a file")});
  EXPECT_EQ(gateway_request_.body, "from a file");
  EXPECT_EQ(gateway_request_.method, "POST");
  EXPECT_EQ(failed.code, kFailed);
  EXPECT_EQ(failed.out, "{}");
  EXPECT_EQ(failed.err,
            "subito: invoke catalogue: 503 Service Unavailable, from the function itself; the body "
            "above tells why\n");
  input_ = "from the input";
  run({"invoke", "catalogue", "-d", "@-"});
  EXPECT_EQ(gateway_request_.body, "from the input");
  gateway_reply_ = Error{ErrorCode::kUnavailable, "connect to x: Connection refused", 111};
  EXPECT_EQ(run({"invoke", "catalogue"}).code, kNoNode);
  gateway_reply_ = Error{ErrorCode::kInvalidArgument, "call x: not a URL", 0};
  EXPECT_EQ(run({"invoke", "catalogue", "a b"}).code, kUsage);
}

TEST_F(CliTest, InvokeSaysWhoAnsweredAndWhichLimitToChange) {
  const auto told = [this](int status, const std::string& type, const std::string& detail) {
    gateway_reply_ = api::ClientReply{
        status,
        {{"proxy-status", "subito; error=x"}},
        Json{{"type", "urn:subito:problem:" + type}, {"detail", "the node answers: " + detail}}
            .dump()};
    const Printed output = run({"invoke", "catalogue"});
    EXPECT_EQ(output.code, kFailed);
    return output.err;
  };
  EXPECT_EQ(told(504, "deadline-exceeded", "the function did not answer within spec.timeout 30s"),
            "subito: invoke catalogue: 504 Gateway Timeout, from the node, not from the function: "
            "the function did not answer within spec.timeout 30s\n"
            "change spec.timeout in its manifest and deploy it again; `subito explain "
            "spec.timeout` tells more\n");
  EXPECT_THAT(told(429, "queue-full", "x"), HasSubstr("change spec.scaling.queueLimit in"));
  EXPECT_THAT(told(413, "body-too-large", "x"), HasSubstr("change spec.bodyMax in"));
  EXPECT_THAT(told(503, "crash-loop", "x"), HasSubstr("`subito logs catalogue --previous`"));
  EXPECT_THAT(told(503, "out-of-service", "x"), HasSubstr("`subito describe catalogue`"));
}

TEST_F(CliTest, InvokeSaysWhenTheFunctionItselfSaidNo) {
  // Its own problem document does not make it the node.
  gateway_reply_ = api::ClientReply{404, {}, R"({"type": "urn:subito:problem:queue-full"})"};
  EXPECT_EQ(run({"invoke", "catalogue", "nope"}).err,
            "subito: invoke catalogue: 404 Not Found, from the function itself\n");
  gateway_reply_ = api::ClientReply{404, {}, ""};
  EXPECT_EQ(run({"invoke", "catalogue", "nope"}).err,
            "subito: invoke catalogue: 404 Not Found, from the function itself: it has no answer "
            "to GET /nope\n");
  gateway_reply_ = api::ClientReply{500, {}, R"({"type": "urn:subito:problem:internal-error"})"};
  EXPECT_THAT(run({"invoke", "catalogue"}).err, HasSubstr("`subito logs catalogue` tells why\n"));
  gateway_reply_ = api::ClientReply{502, {}, R"({"type": "urn:subito:problem:no-greeting"})"};
  EXPECT_THAT(run({"invoke", "catalogue"}).err, HasSubstr("; the body above tells why\n"));
  gateway_reply_ = api::ClientReply{500, {}, ""};
  EXPECT_THAT(run({"invoke", "catalogue"}).err, HasSubstr("`subito logs catalogue` tells why\n"));
  gateway_reply_ = api::ClientReply{409, {}, ""};
  EXPECT_THAT(run({"invoke", "catalogue"}).err,
              HasSubstr("409 Conflict, from the function itself\n"));
}

TEST_F(CliTest, InvokeShowsTheHeaderFieldsWhenAsked) {
  gateway_reply_ = api::ClientReply{200, {{"x-shop", "open\x1b[2J"}, {"etag", "7"}}, "hi"};
  EXPECT_THAT(run({"invoke", "catalogue", "-v"}).err,
              HasSubstr("\n  x-shop: open\\x1b[2J\n  etag: 7\n"));
  EXPECT_EQ(run({"invoke", "catalogue"}).err, "");
}

TEST_F(CliTest, InvokeTellsAPathThatIsNoWordOfItsOwn) {
  const Printed output = run({"invoke", "catalogue/products/7"});
  EXPECT_EQ(output.code, kUsage);
  EXPECT_EQ(output.err,
            "subito: invoke 'catalogue/products/7': the path is a word of its own: `subito invoke "
            "catalogue /products/7`\n");
}

TEST_F(CliTest, InvokePrintsWhatCameBeforeTheConnectionBroke) {
  gateway_reply_ = api::ClientReply{200, {}, "the first half"};
  broken_ = Error{ErrorCode::kProtocol, "read reply of x: transfer closed", 0};
  const Printed output = run({"invoke", "catalogue"});
  EXPECT_EQ(output.out, "the first half");
  EXPECT_EQ(output.err, "subito: invoke catalogue: read reply of x: transfer closed\n");
  EXPECT_EQ(output.code, kFailed);
  EXPECT_EQ(gateway_request_.timeout.count(), 0) << "the gateway bounds it";
}

TEST_F(CliTest, Version) {
  EXPECT_EQ(run({"version"}).out,
            "subito 0.1.0\n"
            "node   0.1.0 at http://127.0.0.1:8080, data in /var/lib/subito, up for 59s\n");
  EXPECT_EQ(Json::parse(run({"version", "-o", "json"}).out).at("client"), "0.1.0");
  no_node_ = Error{ErrorCode::kUnavailable, "not asked for", 0};
  EXPECT_EQ(run({"--version"}).out, "subito 0.1.0\n");
  EXPECT_EQ(run({"--version"}).code, kOk);
}

TEST_F(CliTest, UpHandsItsOptionsToTheNode) {
  EXPECT_THAT(run({"up"}).err, HasSubstr("built without it"));
  UpOptions seen;
  hooks_.up = [&](const UpOptions& options) {
    seen = options;
    return 7;
  };
  EXPECT_EQ(run({"up"}).code, 7);
  EXPECT_EQ(seen.listen_host, "127.0.0.1");
  EXPECT_EQ(seen.listen_port, 8080);
  EXPECT_EQ(seen.data_folder, "/var/lib/subito");
  EXPECT_EQ(seen.api_socket, "/var/lib/subito/api.sock");
  EXPECT_EQ(seen.pool_size, 8U);
  EXPECT_EQ(seen.pods_max, 256U);
  EXPECT_EQ(seen.placement, "near");
  EXPECT_EQ(seen.loops, 1U);
  run({"up", "--listen", "[::1]:0", "--data", "/tmp/d", "--pool", "0", "--pods", "20", "--redis",
       "unix:/r", "--loops", "2", "--placement", "any", "--log-level", "debug"});
  EXPECT_EQ(seen.listen_host, "::1");
  EXPECT_EQ(seen.listen_port, 0);
  EXPECT_EQ(seen.api_socket, "/tmp/d/api.sock");
  EXPECT_EQ(seen.pool_size, 0U);
  EXPECT_EQ(seen.pods_max, 20U);
  EXPECT_EQ(seen.redis_address, "unix:/r");
  EXPECT_EQ(seen.placement, "any");
  EXPECT_EQ(seen.loops, 2U);
  EXPECT_EQ(seen.log_level, "debug");
  variables_["SUBITO_SOCKET"] = "/tmp/s";
  run({"up", "--data", "/tmp/d"});
  EXPECT_EQ(seen.api_socket, "/tmp/s");
  EXPECT_EQ(seen.tls_host + seen.api_host, "");
  run({"up", "--tls-listen", ":443", "--api-listen", ":0", "--tls-cert", "a.crt", "--tls-key",
       "a.key"});
  EXPECT_EQ(seen.tls_host, "0.0.0.0");
  EXPECT_EQ(seen.tls_port, 443);
  EXPECT_EQ(seen.api_host, "127.0.0.1") << "closed unless told otherwise";
  EXPECT_EQ(seen.tls_cert + seen.tls_key, "a.crta.key");
}

TEST_F(CliTest, UpByTlsNeedsBothFilesAndFilesNeedAListener) {
  hooks_.up = [](const UpOptions&) { return 0; };
  for (const char* option : {"--tls-listen", "--api-listen"}) {
    const Printed printed = run({"up", option, "127.0.0.1:0", "--tls-cert", "a.crt"});
    EXPECT_EQ(printed.code, kUsage);
    EXPECT_THAT(printed.err, HasSubstr("needs --tls-cert FILE and --tls-key FILE"));
  }
  EXPECT_THAT(run({"up", "--tls-cert", "a", "--tls-key", "b"}).err,
              HasSubstr("--tls-listen ADDRESS:PORT"));
}

TEST_F(CliTest, DoctorAndBenchAreTheHooks) {
  hooks_.doctor = [](bool json) { return json ? 1 : 0; };
  EXPECT_EQ(run({"doctor"}).code, 0);
  EXPECT_EQ(run({"doctor", "-o", "json"}).code, 1);
  std::vector<std::string> seen;
  hooks_.bench = [&](const std::vector<std::string>& arguments) {
    seen = arguments;
    return 0;
  };
  EXPECT_EQ(run({"bench", "cold-start", "-n", "5", "--mode", "fresh,pooled", "--help"}).code, 0);
  EXPECT_EQ(seen, (std::vector<std::string>{"cold-start", "-n", "5", "--mode", "fresh,pooled",
                                            "--help"}));
}

}  // namespace
}  // namespace subito::cli
