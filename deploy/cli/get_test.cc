// What people see: get, describe, logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deploy/cli/cli_testing.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Json = nlohmann::json;

TEST_F(CliTest, GetFunctions) {
  EXPECT_EQ(run({"get", "functions"}).out,
            "FUNCTION   STATE   PODS  WAITING  REQUESTS  FAILED  REVISION  AGE\n"
            "catalogue  ready   2     1        12        2       2         60s\n"
            "stock      asleep  0     0        0         0       1         60s\n");
  EXPECT_EQ(run({"get", "fn", "stock", "-o", "wide"}).out,
            "FUNCTION  STATE   PODS  WAITING  REQUESTS  FAILED  REVISION  AGE  START   SCALE  "
            "BINARY        URL                                   ROUTES\n"
            "stock     asleep  0     0        0         0       1         60s  pooled  0-20   "
            "aaaaaaaaaaaa  http://127.0.0.1:8080/function/stock  -\n");
  for (const char* path : {"/stocks", "/store"})
    plane_.functions["stock"].manifest.mutable_spec()->add_routes()->set_path(path);
  EXPECT_THAT(run({"get", "fn", "stock", "-o", "wide"}).out, HasSubstr("  /stocks, /store\n"));
  EXPECT_THAT(run({"describe", "stock"}).out,
              HasSubstr("\nURL:        http://127.0.0.1:8080/function/stock\n"
                        "Routes:     http://127.0.0.1:8080/stocks\n"
                        "            http://127.0.0.1:8080/store\n"
                        "Revision:"));
  const Json json = Json::parse(run({"get", "functions", "-o", "json"}).out);
  EXPECT_EQ(json.at("items").size(), 2U);
  EXPECT_EQ(Json::parse(run({"get", "functions", "stock", "-o", "json"}).out)["items"].size(), 1U);
  plane_.functions.clear();
  EXPECT_EQ(run({"get", "functions"}).out,
            "nothing is deployed yet; write a function with `subito new NAME`, deploy it with "
            "`subito deploy NAME/`\n");
  EXPECT_EQ(run({"get", "functions", "-o", "json"}).out, "{\n  \"items\": []\n}\n");
}

TEST_F(CliTest, GetPodsEndsWithWhatIsKeptReady) {
  EXPECT_EQ(run({"get", "pods"}).out,
            "POD          STATE  START          REQUESTS  IN FLIGHT  MEMORY   AGE\n"
            "catalogue-7  idle   1.1 ms pooled  12        0          2.3 MiB  58s\n"
            "catalogue-8  busy   2.3 ms fresh   0         1          -        0s\n"
            "\n"
            "8 empty sandboxes, 2.9 MiB\n");
  plane_.pods.clear();
  EXPECT_EQ(run({"get", "pods"}).out,
            "no pods: everything sleeps; wake a function with `subito invoke NAME`\n"
            "8 empty sandboxes, 2.9 MiB\n");
  EXPECT_EQ(run({"get", "pods", "stock", "-o", "json"}).code, kOk);
}

TEST_F(CliTest, GetRevisions) {
  EXPECT_EQ(run({"get", "revisions", "catalogue"}).out,
            "FUNCTION   REVISION  CURRENT  TRAFFIC  BINARY        AGE\n"
            "catalogue  2         yes      100 %    aaaaaaaaaaaa  60s\n"
            "catalogue  1                  -        bbbbbbbbbbbb  61m\n");
  EXPECT_EQ(Json::parse(run({"get", "rev", "-o", "json"}).out).at("items").size(), 3U);
}

TEST_F(CliTest, WatchingPodsPrintsALineAChange) {
  plane_.pods.clear();
  const auto at = [this](int seconds) { return now_unix_ns_ + seconds * 1'000'000'000LL; };
  meanwhile_ = [&] {
    plane_.emit(api::Event{at(1), "catalogue", "catalogue-7", "PodStarted",
                           "started 1.1 ms pooled, 1 waiting: no pod runs"});
    plane_.emit(api::Event{at(5), "catalogue", "catalogue-7", "PodAsleep",
                           "asleep after 4 s idle, 12 requests"});
    plane_.emit(api::Event{at(5), "catalogue", "catalogue-7", "PodEnded", "ended, 12 requests"});
    plane_.emit(api::Event{at(6), "catalogue", "catalogue-6", "PodEnded", "ended, 1 request"});
  };
  const Printed output = run({"get", "pods", "-w"});
  EXPECT_EQ(output.out,
            "no pods: everything sleeps; wake a function with `subito invoke NAME`\n"
            "8 empty sandboxes, 2.9 MiB\n"
            "2026-11-23T22:05:06.000Z catalogue-7 started 1.1 ms pooled, 1 waiting: no pod runs\n"
            "2026-11-23T22:05:10.000Z catalogue-7 asleep after 4 s idle, 12 requests\n"
            "2026-11-23T22:05:11.000Z catalogue-6 ended, 1 request\n");
  EXPECT_EQ(output.code, kNoNode);  // the node went away
  const Printed json = run({"get", "pods", "-w", "-o", "json"});
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 5) << "all of them";
}

TEST_F(CliTest, WatchingFunctionsPrintsTheRowsThatChanged) {
  meanwhile_ = [this] {
    plane_.functions["stock"].state = api::FunctionState::kReady;
    plane_.functions["stock"].pods_idle = 1;
    plane_.emit(api::Event{1, "stock", "stock-1", "PodStarted", "started"});
    plane_.emit(api::Event{1, "stock", "stock-1", "Noise", "nothing changed"});
  };
  EXPECT_EQ(run({"get", "functions", "-w"}).out,
            "FUNCTION   STATE   PODS  WAITING  REQUESTS  FAILED  REVISION  AGE\n"
            "catalogue  ready   2     1        12        2       2         60s\n"
            "stock      asleep  0     0        0         0       1         60s\n"
            "stock      ready   1     0        0         0       1         60s\n");
}

TEST_F(CliTest, WatchingAsJsonGivesAValueForEachItemThatIsNewOrChanged) {
  meanwhile_ = [this] {
    plane_.functions["stock"].pods_idle = 1;
    plane_.emit(api::Event{1, "stock", "stock-1", "PodStarted", "started"});
    plane_.emit(api::Event{1, "stock", "stock-1", "Noise", "nothing changed"});
  };
  std::vector<std::string> names;
  std::istringstream lines(run({"get", "functions", "-w", "-o", "json"}).out);
  for (std::string line; std::getline(lines, line);) names.push_back(Json::parse(line).at("name"));
  EXPECT_THAT(names, testing::ElementsAre("catalogue", "stock", "stock"));
  std::vector<int> numbers;
  meanwhile_ = [this] {
    plane_.revisions["stock"].push_back(plane_.revisions["catalogue"].front());
    plane_.emit(api::Event{1, "stock", "", "Deployed", "revision 2 is current"});
  };
  std::istringstream more(run({"get", "revisions", "stock", "-w", "-o", "json"}).out);
  for (std::string line; std::getline(more, line);) {
    numbers.push_back(Json::parse(line).at("number"));
  }
  EXPECT_THAT(numbers, testing::ElementsAre(1, 2));
}

TEST_F(CliTest, AWatchThatBreaksIsTheNodesEnd) {
  broken_ = Error{ErrorCode::kProtocol, "read reply of x: transfer closed", 0};
  const std::vector<std::vector<std::string>> commands = {
      {"get", "pods", "-w"}, {"get", "functions", "-w"}, {"logs", "catalogue", "-f"}};
  for (const auto& arguments : commands) {
    const Printed output = run(arguments);
    EXPECT_EQ(output.err, "subito: follow: the node ended the connection\n");
    EXPECT_EQ(output.code, kNoNode);
  }
  const Printed logs = run({"logs", "catalogue"});
  EXPECT_EQ(logs.err, "subito: read reply of x: transfer closed\n");
  EXPECT_EQ(logs.code, kFailed);
}

TEST_F(CliTest, HealthIsOfTheFunctionInTheNamespaceThatIsMeant) {
  const Printed well = run({"health", "catalogue"});
  EXPECT_EQ(well.code, kOk);
  EXPECT_THAT(well.out, HasSubstr("catalogue is ready: "));
  const Printed elsewhere = run({"health", "catalogue", "-n", "staging"});
  EXPECT_EQ(elsewhere.code, kNotFound);
  EXPECT_THAT(elsewhere.err, HasSubstr("catalogue.staging"));
}

TEST_F(CliTest, Describe) {
  EXPECT_EQ(
      run({"describe", "catalogue"}).out,
      "Function:   catalogue\n"
      "State:      ready: 2 pods, 1 waiting\n"
      "            It is at work: 1 pod of at most 20 (spec.scaling.max) busy;\n"
      "            `subito logs catalogue -f` follows what it says\n"
      "URL:        http://127.0.0.1:8080/function/catalogue\n"
      "Revision:   2, deployed 60s ago\n"
      "Binary:     " +
          std::string(64, 'a') +
          "\n"
          "Requests:   12 since the node started, 2 failed (answered 5xx), 1 waiting\n"
          "Exceptions: 1 kind, 1000 in all since the node started: `subito get exceptions "
          "catalogue`\n"
          "Scaling:    2s ago: started a pod: waiting costs more than starting (1 waiting, "
          "15 ms expected,\n"
          "            a start takes 1.1 ms)\n"
          "            mean times: invocation 15 ms (12 ms of it on a core), start 1.1 ms\n"
          "Breakers:   prices: closed, 0 of 0 calls failed in its window\n"
          "            stock: open for 12s, 5 of 6 calls failed in its window; next try in 3.2 s; "
          "last\n"
          "            failure 12s ago: it answered 503\n"
          "Limits:     total 100 per 1s, at once 200; 0 refused\n"
          "            perCaller 10 per 1s, at once 10; 7 refused\n"
          "Spec:\n"
          "  binary: ./catalogue\n"
          "  timeout: 30s\n"
          "  concurrency: 1\n"
          "  scaling:\n"
          "    min: 0\n    max: 20\n"
          "    idle: 30s\n    queueLimit: 1000\n"
          "    policy: instant\n"
          "    inFlightMax: 0\n"
          "    weight: 1\n"
          "  resources:\n"
          "    memory: 128Mi\n"
          "    cpu: 0\n"
          "    pids: 64\n"
          "  start: pooled\n"
          "  bodyMax: 16Mi\n"
          "  ingress: all\n"
          "  rollout:\n"
          "    strategy: at-once\n"
          "    maxSurge: 25%\n"
          "    maxUnavailable: 25%\n"
          "    revisionsKept: 10\n"
          "  auth: none\n"
          "Pods:\n"
          "  POD          STATE  START          REQUESTS  IN FLIGHT  MEMORY   AGE\n"
          "  catalogue-7  idle   1.1 ms pooled  12        0          2.3 MiB  58s\n"
          "  catalogue-8  busy   2.3 ms fresh   0         1          -        0s\n"
          "Events:\n"
          "  AGE  REASON      POD          MESSAGE\n"
          "  59s  Deployed    -            revision 2 is current\n"
          "  58s  PodStarted  catalogue-7  started 1.1 ms pooled, 1 waiting: no pod runs\n");
  EXPECT_EQ(Json::parse(run({"describe", "stock", "-o", "json"}).out).at("name"), "stock");
  EXPECT_EQ(run({"describe", "pod"}).err, "subito: describe pod: say the NAME of a pod\n");
}

TEST_F(CliTest, DescribeSaysEveryStateInASentenceWithTheNextCommand) {
  auto& stock = plane_.functions["stock"];
  const auto said = [this] {
    std::string text = run({"describe", "function", "stock"}).out;
    for (std::size_t at; (at = text.find("\n            ")) != text.npos;)
      text.replace(at, 13, " ");
    return text;
  };
  EXPECT_THAT(said(), HasSubstr("asleep It has no pod and costs nothing; the next request starts "
                                "one: `subito invoke stock`\n"));
  EXPECT_THAT(said(), HasSubstr("\nScaling:    nothing was decided yet mean times: invocation not "
                                "known yet, start 5.0 ms\n"));
  stock.events = {
      {now_unix_ns_ - 4'000'000'000, "stock", "stock-3", "PodCrashed", "ended by SIGSEGV"}};
  EXPECT_THAT(said(), HasSubstr("The last pod, stock-3, 4s ago: ended by SIGSEGV. `subito logs "
                                "stock --previous` shows what it said\n"));
  stock.state = api::FunctionState::kFailing;
  stock.state_words = "3 pods in a row ended before they were of use, next try in 3.2 s";
  EXPECT_THAT(said(), HasSubstr("next try in 3.2 s Its pods end before they are of use; until the "
                                "next try requests wait, or are answered 503. The last pod"));
  stock.state_words = "out of service: its binary is gone";
  EXPECT_THAT(said(), HasSubstr("deploy it again: `subito deploy`\n"));
  stock.state = api::FunctionState::kStarting;
  EXPECT_THAT(said(), HasSubstr("`subito get pods stock -w` shows it come\n"));
  stock.state = api::FunctionState::kReady;
  stock.pods_idle = 1;
  EXPECT_THAT(said(), HasSubstr("Its pods wait for requests and go after at most 30s without one "
                                "(spec.scaling.idle): `subito invoke stock`"));
  stock.scaling.keep_us = 1'200'000;
  EXPECT_THAT(said(), HasSubstr("(spec.scaling.idle), now after 1.2 s: `subito invoke stock`"));
  stock.scaling.keep_us = 30'000'000;
  EXPECT_THAT(said(), Not(HasSubstr("now after"))) << "as long as it may";
  stock.manifest.mutable_spec()->mutable_scaling()->set_policy(manifest::FIXED);
  EXPECT_THAT(said(), HasSubstr("and go after 30s without one (spec.scaling.idle): "));
  auto* binding = stock.manifest.mutable_spec()->add_bindings();
  binding->set_name("cache");
  binding->mutable_tcp()->set_address("127.0.0.1:25");
  EXPECT_THAT(said(), HasSubstr("\n  bindings:\n    - name: cache\n      tcp:\n        address: "));
  stock.manifest.mutable_spec()->mutable_scaling()->set_policy(manifest::HISTOGRAM);
  EXPECT_THAT(said(), HasSubstr("and go as policy histogram decides (spec.scaling.policy), now "));
  stock.pods_idle = 0;
  stock.pods_busy = 20;
  stock.waiting = 3;
  EXPECT_THAT(
      said(),
      HasSubstr("It is at its limit: it has all pods it may have (spec.scaling.max "
                "20) and 3 requests wait; more pods (if it does not burn CPU): `subito scale stock "
                "--max 40`"));
  stock.waiting = 1000;
  EXPECT_THAT(said(), HasSubstr("as many requests wait as may (spec.scaling.queueLimit 1000), "
                                "further ones are answered 429"));
}

TEST_F(CliTest, DescribeShowsTriggers) {
  plane_.functions["stock"].triggers[0].polls = true;
  const std::string text = run({"describe", "stock"}).out;
  EXPECT_THAT(text, HasSubstr("\nTriggers:\n"
                              "  due: due stock:due -> POST /due\n"
                              "    waiting\n"
                              "    7 delivered, 2 failed, 1 dead letter, 3 not yet taken, next in "
                              "59m, asks Redis each second\n"
                              "    (it tells of no changes)\n"
                              "    last failure: answered 500: no\n"
                              "Events:\n"));
  EXPECT_THAT(run({"describe", "catalogue"}).out, testing::Not(HasSubstr("Triggers")));
}

TEST_F(CliTest, DeadLettersAreListedReplayedAndDeleted) {
  EXPECT_EQ(run({"dead-letters", "stock", "--trigger", "due"}).out,
            "ID       AGE  TYPE        EVENT  DELIVERIES  WHY\n"
            "due/2-0  60s  subito.due  o1@5   10          answered 503\n");
  EXPECT_EQ(Json::parse(run({"dead-letters", "list", "stock", "-o", "json"}).out)["items"].size(),
            2U);
  EXPECT_EQ(run({"dead-letters", "replay", "stock", "due/2-0"}).out,
            "1 dead letter of stock is delivered again\n");
  EXPECT_TRUE(plane_.last_choice.replay);
  EXPECT_EQ(plane_.last_choice.id, "due/2-0");
  EXPECT_EQ(run({"dead-letters", "delete", "stock", "--all", "--trigger", "none"}).out,
            "0 dead letters of stock are deleted\n");
  EXPECT_EQ(run({"dead-letters", "delete", "stock", "--all"}).out,
            "1 dead letter of stock is deleted\n");
  EXPECT_EQ(run({"dead-letters", "stock"}).out, "no dead letters: nothing of stock was given up\n");
  const Printed verb = run({"dead-letters", "list"});
  EXPECT_EQ(verb.code, kUsage);
  EXPECT_EQ(verb.err, "subito: dead-letters list: say the NAME of a function\n");
}

TEST_F(CliTest, DeadLettersRefusesWhatItCannotMean) {
  EXPECT_EQ(run({"dead-letters", "replay", "stock"}).code, kUsage);
  EXPECT_THAT(run({"dead-letters", "delete", "stock", "x", "--all"}).err,
              HasSubstr("say an ID or --all"));
  EXPECT_THAT(run({"dead-letters", "reply", "stock", "x"}).err,
              HasSubstr("there are list, replay and delete; did you mean 'replay'?"));
  EXPECT_EQ(run({"dead-letters", "nobody"}).code, kNotFound);
}

TEST_F(CliTest, DescribeAPod) {
  EXPECT_EQ(run({"describe", "pod", "catalogue-7"}).out,
            "Pod:        catalogue-7\n"
            "State:      idle\n"
            "            It waits for a request and may go after at most 30s without one "
            "(spec.scaling.idle):\n"
            "            `subito invoke catalogue`\n"
            "Function:   catalogue revision 2\n"
            "Start:      1.1 ms pooled, 58s ago\n"
            "Requests:   12 served, 0 running\n"
            "Memory:     2.3 MiB\n"
            "Events:\n"
            "  AGE  REASON      POD          MESSAGE\n"
            "  58s  PodStarted  catalogue-7  started 1.1 ms pooled, 1 waiting: no pod runs\n");
  const auto said = [this](api::PodState state) {
    plane_.pods[1].state = state;
    return run({"describe", "catalogue-8"}).out;
  };
  EXPECT_THAT(said(api::PodState::kStarting), HasSubstr("requests given to it wait"));
  EXPECT_THAT(said(api::PodState::kBusy), HasSubstr("It works on 1 request; `subito logs"));
  EXPECT_THAT(said(api::PodState::kDraining),
              HasSubstr("It gets no new request, finishes what it"));
  EXPECT_THAT(said(api::PodState::kStopped), HasSubstr("It was killed and is about to be gone"));
  const Json json = Json::parse(run({"describe", "pod", "catalogue-7", "-o", "json"}).out);
  EXPECT_EQ(json.at("name"), "catalogue-7");
  EXPECT_EQ(json.at("events").size(), 1U);
}

TEST_F(CliTest, DescribeAPodThatDoesNotLive) {
  plane_.functions["catalogue"].events.push_back({now_unix_ns_ - 5'000'000'000, "catalogue",
                                                  "catalogue-3", "PodExited",
                                                  "exited with status 3"});
  const Printed gone = run({"describe", "catalogue-3"});
  EXPECT_EQ(gone.code, kNotFound);
  EXPECT_EQ(gone.err,
            "subito: find pod catalogue-3: it is gone, 5s ago: exited with status 3; `subito "
            "describe catalogue` tells the rest\n");
  const Printed wrong = run({"describe", "pod", "catalog-7"});
  EXPECT_EQ(wrong.code, kNotFound);
  EXPECT_EQ(wrong.err, "subito: find pod catalog-7: there is none; did you mean 'catalogue-7'?\n");
  const Printed kind = run({"describe", "fucntion", "stock"});
  EXPECT_EQ(kind.code, kUsage);
  EXPECT_THAT(kind.err, HasSubstr("there are function and pod; did you mean 'function'?"));
}

TEST_F(CliTest, FunctionsAreDescribedByLabels) {
  const std::string one = run({"describe", "catalogue"}).out;
  EXPECT_EQ(run({"describe", "-l", "app=shop"}).out, one);
  EXPECT_EQ(run({"describe", "functions", "-l", "app=shop"}).out, one);
  EXPECT_EQ(run({"describe", "-l", "!tier"}).out, one + "\n\n" + run({"describe", "stock"}).out);
  const Json json = Json::parse(run({"describe", "-l", "!tier", "-o", "json"}).out);
  ASSERT_EQ(json.at("items").size(), 2U);
  EXPECT_EQ(json.at("items").at(1).at("name"), "stock");
  EXPECT_EQ(run({"describe", "-l", "app=none"}).code, kNotFound);
  EXPECT_THAT(run({"describe", "pods", "-l", "app=shop"}).err, HasSubstr("the NAME of the pod"));
  EXPECT_THAT(run({"describe", "stock", "-l", "app=shop"}).err, HasSubstr("not both"));
  EXPECT_EQ(run({"describe"}).code, kUsage);
}

TEST_F(CliTest, EmptyLogsSayWhyAndWhatToTry) {
  const Printed never = run({"logs", "stock"});
  EXPECT_EQ(never.out, "");
  EXPECT_EQ(never.code, kOk);
  EXPECT_EQ(never.err,
            "no logs: stock is asleep and has not run since the node started; call it with `subito "
            "invoke stock`\n");
  plane_.functions["stock"].requests_served = 3;
  EXPECT_EQ(run({"logs", "stock"}).err,
            "no logs: stock served 3 requests and said nothing: what it prints and logs would be "
            "here\n");
  EXPECT_EQ(run({"logs", "stock", "--since", "5m"}).err,
            "no logs: nothing since 5m; `subito logs stock` shows all that is kept\n");
  EXPECT_EQ(run({"logs", "stock", "-o", "json"}).out, "{\n  \"items\": []\n}\n");
  EXPECT_EQ(run({"logs", "catalogue", "--tail", "0"}).err, "");
}

TEST_F(CliTest, Logs) {
  EXPECT_EQ(run({"logs", "catalogue"}).out,
            "2026-11-23T22:04:08.000Z catalogue-7 info listed products=5 from=cache "
            "request=req-1\n"
            "2026-11-23T22:04:09.000Z catalogue-7 error pod crashed: signal 11 (Segmentation "
            "fault)\n");
  const Json json = Json::parse(run({"logs", "catalogue", "-o", "json"}).out);
  EXPECT_EQ(json.at("items").size(), 2U);
  EXPECT_EQ(run({"logs", "catalogue", "--tail", "1", "--since", "1m", "--previous"}).code, kOk);
  EXPECT_EQ(plane_.last_log_query.tail, 1U);
  EXPECT_TRUE(plane_.last_log_query.previous);
  EXPECT_EQ(plane_.last_log_query.since_unix_ns, now_unix_ns_ - 60'000'000'000);
}

TEST_F(CliTest, LogsOfSelectedFunctionsNameThoseThatNoPodSaid) {
  plane_.records[1].pod.clear();
  EXPECT_EQ(run({"logs", "-l", "app=shop"}).out,
            "2026-11-23T22:04:08.000Z catalogue-7 info listed products=5 from=cache "
            "request=req-1\n"
            "2026-11-23T22:04:09.000Z catalogue error pod crashed: signal 11 (Segmentation "
            "fault)\n");
  const Printed none = run({"logs", "-l", "app=other"});
  EXPECT_EQ(none.code, kOk);
  EXPECT_THAT(none.err, HasSubstr("no logs: no function with such labels said anything"));
  meanwhile_ = [this] { plane_.emit(plane_.records[0]); };
  EXPECT_THAT(run({"logs", "-f", "--tail", "0", "-l", "app"}).out, HasSubstr("info listed"));
}

TEST_F(CliTest, ListsAreNarrowedByLabels) {
  EXPECT_THAT(run({"get", "functions", "-l", "app=shop"}).out,
              testing::AllOf(HasSubstr("catalogue"), testing::Not(HasSubstr("stock"))));
  EXPECT_THAT(run({"get", "functions", "-l", "app!=shop"}).out,
              testing::AllOf(HasSubstr("stock"), testing::Not(HasSubstr("catalogue"))));
  EXPECT_THAT(run({"get", "pods", "-l", "!app"}).out, HasSubstr("none with such labels"));
  EXPECT_THAT(run({"get", "revisions", "-l", "app"}).out, testing::Not(HasSubstr("stock")));
  EXPECT_THAT(run({"get", "functions", "-l", "app=shop tier"}).err,
              HasSubstr("expected ',' at 'tier'"));
}

TEST_F(CliTest, WhatAFunctionSaysInManyLinesLooksLikeNoOtherRecordOrRow) {
  plane_.records[0].message = "first\n2026-11-23T22:04:05Z cart-1 error made up\n  at main";
  const std::string logs = run({"logs", "catalogue"}).out;
  EXPECT_THAT(logs, HasSubstr("\n  2026-11-23T22:04:05Z cart-1 error made up\n  at main\n"));
  plane_.exceptions[0].type = "made\nup";
  const std::string rows = run({"get", "exceptions"}).out;
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 2) << rows;
}

TEST_F(CliTest, ExceptionsAreATable) {
  EXPECT_EQ(run({"get", "exceptions"}).out,
            "FUNCTION   TYPE               COUNT  FIRST  LAST  REQUEST  PLACE\n"
            "catalogue  std::out_of_range  1000   57s    5s    req-1    shop::find(int) + 0x1f "
            "(catalogue.cc:12)\n");
  EXPECT_THAT(run({"get", "exceptions", "-o", "wide"}).out, HasSubstr("no such anvil"));
  const Json json = Json::parse(run({"get", "exceptions", "catalogue", "-o", "json"}).out);
  EXPECT_EQ(json.at("items").at(0).at("count"), 1000);
  EXPECT_EQ(run({"get", "exceptions", "stock"}).out,
            "no exceptions: nothing was thrown and nothing crashed since the node started\n");
  EXPECT_EQ(run({"get", "exceptions", "nobody"}).code, kNotFound);
  EXPECT_THAT(run({"describe", "catalogue"}).out,
              HasSubstr("\nExceptions: 1 kind, 1000 in all since the node started: `subito get "
                        "exceptions catalogue`\n"));
  EXPECT_THAT(run({"describe", "stock"}).out, testing::Not(HasSubstr("Exceptions:")));
}

TEST_F(CliTest, DescribeTellsWhatWasLostOfALog) {
  EXPECT_THAT(run({"describe", "stock"}).out, testing::Not(HasSubstr("Logs:")));
  plane_.functions["stock"].logs = {12, 3, "write logs: No space left on device"};
  EXPECT_THAT(
      run({"describe", "stock"}).out,
      HasSubstr("\nLogs:       12 lines lost: it logged faster than is kept; 3 lines are in "
                "no file; files are not written: write logs: No space left on device\n"));
}

TEST_F(CliTest, LogsOfAPreviousPodThatIsNotThereSaySo) {
  plane_.next_failure = Error{ErrorCode::kFailedPrecondition, "none has ended", 0};
  const Printed none = run({"logs", "catalogue", "--previous"});
  EXPECT_EQ(none.code, kFailed);
  EXPECT_EQ(none.err, "subito: none has ended\n");
  plane_.records.clear();
  const Printed silent = run({"logs", "catalogue", "--previous"});
  EXPECT_EQ(silent.code, kOk);
  EXPECT_THAT(silent.err, HasSubstr("that ended last said nothing"));
  EXPECT_THAT(run({"logs", "catalogue"}).err, HasSubstr("served 12 requests and said nothing"));
}

TEST_F(CliTest, FollowedLogsGoOn) {
  meanwhile_ = [this] { plane_.emit(plane_.records[0]); };
  const Printed output = run({"logs", "catalogue", "-f", "--tail", "0"});
  EXPECT_THAT(output.out, HasSubstr("info listed"));
  EXPECT_EQ(output.code, kNoNode);
}

TEST_F(CliTest, LogsKeepTheLinesOfABacktraceBehindTheRequest) {
  plane_.records[0].message = "crashed: SIGABRT\n  at main + 0x1";
  EXPECT_THAT(run({"logs", "catalogue"}).out,
              HasSubstr("crashed: SIGABRT products=5 from=cache request=req-1\n  at main + 0x1\n"));
}

TEST_F(CliTest, WhatAFunctionSaidCannotDriveTheTerminal) {
  plane_.records[0].message = "\x1b]0;owned\x07\r";
  EXPECT_THAT(run({"logs", "catalogue"}).out, HasSubstr("\\x1b]0;owned\\x07\\x0d"));
}

TEST_F(CliTest, ColoursOnATerminalUnlessTheyAreUnwanted) {
  EXPECT_EQ(run({"get", "functions"}).out.find('\x1b'), std::string::npos);
  terminal_ = true;
  EXPECT_THAT(run({"get", "functions"}).out, HasSubstr("\x1b[32mready\x1b[0m"));
  variables_["NO_COLOR"] = "1";
  EXPECT_EQ(run({"get", "functions"}).out.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace subito::cli
