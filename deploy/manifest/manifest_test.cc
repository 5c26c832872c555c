#include "deploy/manifest/manifest.h"
#include "deploy/manifest/qualified_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "deploy/manifest/defaults.h"

namespace subito::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kHead[] = "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: hello}\n";

// The faults of a manifest whose spec is `spec`, from line 5 on, each as a person reads it.
std::vector<std::string> faults_of_spec(const std::string& spec) {
  std::vector<std::string> texts;
  for (const Fault& fault :
       parse_yaml("f.yaml", std::string(kHead) + "spec:\n  binary: ./hello\n" + spec).faults)
    texts.push_back(to_string(fault));
  return texts;
}

std::vector<std::string> faults_of(const std::string& text) {
  std::vector<std::string> texts;
  for (const Fault& fault : parse_yaml("f.yaml", text).faults) texts.push_back(to_string(fault));
  return texts;
}

TEST(Manifest, ReadsEveryField) {
  const auto read = parse_yaml("dir/f.yaml", R"(
apiVersion: subito.dev/v1
kind: Function
metadata:
  name: catalogue
  namespace: default
  labels: {app: shop, subito.dev/tier: "1"}
spec:
  binary: bin/catalogue
  args: [--fast, 3]
  settings:
    CURRENCY: GBP
    PORT: 8080
  routes:
    - path: /shop
      stripPrefix: true
  timeout: 1m30s
  concurrency: 8
  scaling: {min: 1, max: 5, idle: 0s, queueLimit: 0}
  resources: {memory: 64Mi, cpu: 500m, pids: 32}
  bindings:
    - name: cache
      redis: {}
    - name: bank
      tcp: {address: "127.0.0.1:9000"}
  calls: [stock]
  start: fresh
  bodyMax: 1Gi
)");
  ASSERT_EQ(to_string(read.faults), "");
  ASSERT_EQ(read.manifests.size(), 1U);
  EXPECT_EQ(read.manifests[0].binary_path(), "dir/bin/catalogue");
  EXPECT_EQ(read.manifests[0].line, 2);
  const FunctionSpec& spec = read.manifests[0].function.spec();
  EXPECT_EQ(read.manifests[0].function.metadata().labels().at("subito.dev/tier"), "1");
  EXPECT_THAT(spec.args(), ElementsAre("--fast", "3"));
  EXPECT_EQ(spec.settings().at("PORT"), "8080");
  EXPECT_TRUE(spec.routes(0).strip_prefix());
  EXPECT_EQ(spec.timeout_ms(), 90'000);
  EXPECT_EQ(spec.concurrency(), 8);
  EXPECT_EQ(spec.scaling().min(), 1);
  EXPECT_TRUE(spec.scaling().has_idle_ms());
  EXPECT_EQ(spec.scaling().idle_ms(), 0);
  EXPECT_EQ(spec.resources().memory_bytes(), 64 << 20);
  EXPECT_EQ(spec.resources().cpu_millicores(), 500);
  EXPECT_TRUE(spec.bindings(0).has_redis());
  EXPECT_EQ(spec.bindings(1).tcp().address(), "127.0.0.1:9000");
  EXPECT_EQ(spec.start(), FRESH);
  EXPECT_EQ(spec.body_bytes_max(), 1LL << 30);
}

TEST(Manifest, ReadsTriggersOfEveryKind) {
  const auto read = parse_yaml("f.yaml", std::string(kHead) + R"(
spec:
  binary: ./hello
  bindings: [{name: cache, redis: {}}]
  triggers:
    - name: history
      stream: {of: checkout, key: events, inFlight: 4}
      path: /events
      deliveries: 0
    - {name: nightly, schedule: {cron: "30 3 * * *"}, path: /nightly}
    - {name: due, due: {key: due}, path: /due, binding: cache}
)");
  ASSERT_EQ(to_string(read.faults), "");
  const FunctionSpec& spec = read.manifests[0].function.spec();
  ASSERT_EQ(spec.triggers_size(), 3);
  EXPECT_EQ(spec.triggers(0).stream().of(), "checkout");
  EXPECT_EQ(spec.triggers(0).stream().in_flight(), 4);
  EXPECT_TRUE(spec.triggers(0).has_deliveries());
  EXPECT_EQ(spec.triggers(1).schedule().cron(), "30 3 * * *");
  EXPECT_EQ(spec.triggers(2).due().key(), "due");
}

TEST(Manifest, TellsEveryFaultAtOnceInOrderOfLines) {
  EXPECT_THAT(
      faults_of(R"(apiVersion: subito.dev/v2
kind: Function
metadata:
  name: Hello_World
spec:
  concurency: 4
  timeout: 30
  scaling:
    min: -1
    max: lots
  start: polled
)"),
      ElementsAre(
          "f.yaml:1: apiVersion: is 'subito.dev/v2', allowed is subito.dev/v1",
          "f.yaml:4: metadata.name: is 'Hello_World', allowed are lower-case letters, digits and "
          "'-', at most 40, beginning with a letter and not ending with '-'",
          "f.yaml:5: spec.binary: is missing",
          "f.yaml:6: spec.concurency: is not a field; did you mean 'concurrency'?",
          "f.yaml:7: spec.timeout: '30' has no unit, allowed is a duration such as 30s, 250ms, 5m "
          "or 1h",
          "f.yaml:9: spec.scaling.min: is -1, allowed is 0 to 1000",
          "f.yaml:10: spec.scaling.max: is 'lots', must be a whole number",
          "f.yaml:11: spec.start: is 'polled', allowed is one of pooled, fresh, template; did you "
          "mean "
          "'pooled'?"));
}

struct FaultCase {
  const char* spec;   // appended from line 6 on
  const char* fault;  // part of the one fault
};

class SpecFault : public testing::TestWithParam<FaultCase> {};

TEST_P(SpecFault, IsToldWithItsPlace) {
  EXPECT_THAT(faults_of_spec(GetParam().spec), ElementsAre(HasSubstr(GetParam().fault)));
}

INSTANTIATE_TEST_SUITE_P(
    All, SpecFault,
    testing::Values(
        FaultCase{"  binary: ./other\n", "f.yaml:6: spec.binary: is there twice, first in line 5"},
        FaultCase{"  memory: 32M\n",
                  "6: spec.memory: is not a field; did you mean 'spec.resources.memory'?"},
        FaultCase{"  name: hello\n",
                  "is not a field; did you mean 'metadata.name' or 'spec.bindings[].name'?"},
        FaultCase{"  nonsense: 1\n", "6: spec.nonsense: is not a field, allowed are binary, args"},
        FaultCase{"  timeout: 16m\n", "6: spec.timeout: is 16m, allowed is 1ms to 15m"},
        FaultCase{"  timeout: 30 s\n", "has an unknown unit ' s'"},
        FaultCase{"  timeout: 0.5ms\n", "'0.5ms' is too large or too fine"},
        FaultCase{"  timeout: [1s]\n", "6: spec.timeout: is a list, must be a number"},
        FaultCase{"  timeout:\n", "6: spec.timeout: has no value"},
        FaultCase{"  concurrency: \"4\"\n", "is '4', must be a whole number"},
        FaultCase{"  concurrency: 4.5\n", "is '4.5', must be a whole number"},
        FaultCase{"  concurrency: 99999999999999999999\n", "must be a whole number"},
        FaultCase{"  concurrency: 5000000000\n", "is 5000000000, allowed is 1 to 1000"},
        FaultCase{"  resources: {memory: 64MB}\n", "6: spec.resources.memory: '64MB' has an unkn"},
        FaultCase{"  resources: {memory: 1Mi}\n", "is 1Mi, allowed is 4Mi to 64Gi"},
        FaultCase{"  resources: {memory: 9999999999999999}\n", "spec.resources.memory: is '99999"},
        FaultCase{"  resources: {cpu: 1x}\n", "unknown unit 'x', allowed is a share of a CPU"},
        FaultCase{"  resources: {cpu: 5m}\n", "is 5m, allowed is 0 or 10m to 64"},
        FaultCase{"  resources: 3\n", "6: spec.resources: is text, must be a mapping with memory"},
        FaultCase{"  routes: [{path: shop}]\n",
                  "6: spec.routes[0].path: is 'shop', a path begins with '/'"},
        FaultCase{"  routes: [{path: \"/a?b\"}]\n", "has a character that no path has"},
        FaultCase{"  routes: [{path: \"/greet/{name}/x\"}]\n",
                  "6: spec.routes[0].path: is '/greet/{name}/x', but a route is a prefix: write "
                  "/greet; the pattern belongs into the function's Router"},
        FaultCase{"  routes: [{path: \"/{id}\"}]\n", "a prefix: write /; the pattern"},
        FaultCase{"  routes: [{path: /a//b}]\n", "has an empty segment"},
        FaultCase{"  routes: [{path: /a/}]\n", "is '/a/', leave the final '/' away"},
        FaultCase{"  routes: [{path: /a/../b}]\n", "has a dot segment"},
        FaultCase{"  routes: [{path: /healthz}]\n", "which the gateway answers itself"},
        FaultCase{"  routes: [{path: /function/a}]\n", "calls functions by name"},
        FaultCase{"  routes: [{path: /function}]\n", "calls functions by name"},
        FaultCase{"  routes: [{}]\n", "6: spec.routes[0].path: is missing"},
        FaultCase{"  routes: [{path: /a, stripPrefix: yes}]\n", "'yes', allowed is true or false"},
        FaultCase{"  routes: [{path: /a}, {path: /a}]\n", "is '/a' as that of spec.routes[0]"},
        FaultCase{"  routes: {path: /a}\n", "6: spec.routes: is a mapping, must be a list"},
        FaultCase{"  bindings:\n    - name: a\n      redis: {}\n      tcp: {address: a:1}\n",
                  "9: spec.bindings[0].tcp: is there beside redis, only one of them is allowed"},
        FaultCase{"  bindings:\n    - name: a\n",
                  "7: spec.bindings[0]: needs exactly one of tcp, redis"},
        FaultCase{"  bindings: [{redis: {}}]\n", "spec.bindings[0].name: is missing"},
        FaultCase{"  bindings: [{name: a, tcp: {address: host}}]\n",
                  "spec.bindings[0].tcp.address: is 'host', allowed is host:port or unix:/path"},
        FaultCase{"  bindings: [{name: a, tcp: {address: h:0}}]\n", "has port '0'"},
        FaultCase{"  bindings: [{name: a, tcp: {address: unix:x}}]\n", "needs an absolute path"},
        FaultCase{"  bindings: [{name: a, redis: {keyPrefix: 'a b:'}}]\n",
                  "redis.keyPrefix: has a key prefix that is not allowed"},
        FaultCase{"  bindings: [{name: a, redis: {keyPrefix: ' '}}]\n", "without blanks"},
        FaultCase{"  bindings: [{name: a, tcp: }]\n", "tcp.address: is missing"},
        FaultCase{"  bindings: [{name: a, redis: {}}, {name: a, redis: {}}]\n",
                  "spec.bindings[1].name: is 'a' as that of spec.bindings[0]"},
        FaultCase{"  calls: [stock, stock]\n", "spec.calls[1]: is 'stock' as that of spec.calls"},
        FaultCase{"  calls: [Stock]\n", "6: spec.calls[0]: is 'Stock', allowed are lower-case"},
        FaultCase{"  calls: [{a: b}]\n", "6: spec.calls[0]: is a mapping, must be text"},
        FaultCase{"  settings: {a b: c}\n", "spec.settings.a b: has a key that is not allowed"},
        FaultCase{"  settings: {A: 1, A: 2}\n", "spec.settings.A: is there twice"},
        FaultCase{"  settings: {A: }\n", "spec.settings.A: is nothing, must be text"},
        FaultCase{"  settings: {A: [1]}\n", "spec.settings.A: is a list, must be text"},
        FaultCase{"  args: [\"a\\0b\"]\n", "spec.args[0]: has a NUL character"},
        FaultCase{"  scaling: {min: 3, max: 2}\n", "scaling.min: is 3, above max, which is 2"},
        FaultCase{"  scaling: {min: 21}\n", "is 21, above max, which is 20 by default"},
        FaultCase{"  scaling: {idle: 25h}\n", "is 25h, allowed is 0s to 24h"},
        FaultCase{"  scaling: {policy: kpa}\n",
                  "allowed is one of instant, concurrency, fixed, histogram"},
        FaultCase{"  scaling: {knative: {target: 4}}\n",
                  "scaling.knative: is for the policy concurrency; add policy: concurrency"},
        FaultCase{"  scaling: {policy: concurrency, knative: {stableWindow: 5s}}\n",
                  "is 5s, allowed is 6s to 1h"},
        FaultCase{"  breakers: [{call: stock}]\n",
                  "6: spec.breakers[0].call: is 'stock', which is not listed in spec.calls"},
        FaultCase{"  calls: [stock]\n  breakers: [{failures: 3}]\n",
                  "7: spec.breakers[0].call: is missing"},
        FaultCase{"  calls: [stock]\n  breakers: [{call: stock, failureRate: 0}]\n",
                  "spec.breakers[0].failureRate: is 0, allowed is 1 to 100"},
        FaultCase{"  calls: [stock]\n  breakers: [{call: stock, window: 50ms}]\n",
                  "spec.breakers[0].window: is 50ms, allowed is 100ms to 1h"},
        FaultCase{"  calls: [stock]\n  breakers: [{call: stock, slow: 16m}]\n",
                  "spec.breakers[0].slow: is 16m, allowed is 0s to 15m"},
        FaultCase{"  ingress: cluster-local\n", "allowed is one of all, routes, internal"},
        FaultCase{"  auth: basic\n", "allowed is one of none, token"},
        FaultCase{"  ingress: routes\n",
                  "6: spec.ingress: is routes, and there are none: add spec.routes, or write "
                  "internal"},
        FaultCase{"  ingress: internal\n  routes: [{path: /x}]\n",
                  "6: spec.ingress: is internal, so nobody reaches spec.routes: take them away"},
        FaultCase{"  calls: [stock]\n  breakers: [{call: stock}, {call: stock}]\n",
                  "spec.breakers[1].call: is 'stock' as that of spec.breakers[0]"},
        FaultCase{"  triggers: [{name: t, path: /t}]\n",
                  "6: spec.triggers[0]: needs exactly one of stream, schedule, due"},
        FaultCase{"  triggers: [{name: t, path: t, schedule: {cron: '@daily'}}]\n",
                  "6: spec.triggers[0].path: is 't', a path begins with '/'"},
        FaultCase{"  triggers: [{name: t, path: /t, schedule: {cron: '@reboot'}}]\n",
                  "6: spec.triggers[0].schedule.cron: is '@reboot', allowed are five fields"},
        FaultCase{"  triggers: [{name: t, path: /t, schedule: {}}]\n",
                  "spec.triggers[0].schedule.cron: is missing"},
        FaultCase{"  triggers: [{name: t, path: /t, due: {key: d}}]\n",
                  "6: spec.triggers[0]: needs a redis binding: add one to spec.bindings"},
        FaultCase{"  bindings: [{name: a, redis: {}}, {name: b, redis: {}}]\n"
                  "  triggers: [{name: t, path: /t, stream: {key: d}}]\n",
                  "spec.triggers[0].binding: is missing: there is more than one redis binding"},
        FaultCase{
            "  bindings: [{name: a, redis: {}}, {name: b, tcp: {address: h:1}}]\n"
            "  triggers: [{name: t, path: /t, stream: {key: d}, binding: b}]\n",
            "7: spec.triggers[0].binding: is 'b', which is no redis binding of spec.bindings"},
        FaultCase{"  bindings: [{name: a, redis: {}}]\n"
                  "  triggers: [{name: t, path: /t, stream: {key: a b}}]\n",
                  "7: spec.triggers[0].stream.key: has a key that is not allowed"},
        FaultCase{"  bindings: [{name: a, redis: {}}]\n"
                  "  triggers: [{name: t, path: /t, stream: {key: a, inFlight: 101}}]\n",
                  "spec.triggers[0].stream.inFlight: is 101, allowed is 1 to 100"},
        FaultCase{
            "  triggers: [{name: t, path: /t, schedule: {cron: '@daily'}}, {name: t, path: /t,"
            " schedule: {cron: '@daily'}}]\n",
            "spec.triggers[1].name: is 't' as that of spec.triggers[0]"}));

struct DocumentCase {
  const char* text;
  const char* fault;
};

class DocumentFault : public testing::TestWithParam<DocumentCase> {};

TEST_P(DocumentFault, IsToldWithItsLine) {
  EXPECT_THAT(faults_of(GetParam().text), testing::Contains(HasSubstr(GetParam().fault)));
}

INSTANTIATE_TEST_SUITE_P(
    All, DocumentFault,
    testing::Values(
        DocumentCase{"", "f.yaml: holds no manifest"},
        DocumentCase{"---\n---\n", "f.yaml: holds no manifest"},
        DocumentCase{"a: [1\n", "f.yaml:2: is not YAML: "},
        DocumentCase{"a: b: c\n", "f.yaml:1: is not YAML: "},
        DocumentCase{"a:\n  b: 1\n c: 2\n",
                     "f.yaml:3: is not YAML: end of map not found; check the indentation"},
        DocumentCase{"a: 1\n  b: 2\n", "f.yaml:2: is not YAML: illegal map value; check"},
        DocumentCase{"a:\n\tb: 1\n",
                     "f.yaml:2: is not YAML: illegal map value; the "
                     "line begins with a tab"},
        DocumentCase{",", "f.yaml:1: is not YAML: unexpected character"},
        DocumentCase{"---\n]", "f.yaml:2: is not YAML: illegal flow end"},
        DocumentCase{"- 1\n", "f.yaml:1: is a list, must be a mapping with apiVersion"},
        DocumentCase{"hello\n", "f.yaml:1: is text, must be a mapping"},
        DocumentCase{"{}\n", "f.yaml:1: metadata: is missing"},
        DocumentCase{"a: &x 1\nb: *x\n", "f.yaml:2: has an alias (*name)"},
        DocumentCase{"? [a]\n: b\n", "f.yaml:1: has a key that is not text"},
        DocumentCase{"a: b\nc: \4\n", "f.yaml:2: has a control character"},
        DocumentCase{"kind: Deployment\n", "1: kind: is 'Deployment', allowed is Func"},
        DocumentCase{"metadata: {namespace: Shop}\n",
                     "metadata.namespace: is 'Shop', allowed are lower-case"}));

TEST(Manifest, ReadsManyDocumentsAndTellsTheFaultsOfAll) {
  const std::string one = std::string(kHead) + "spec: {binary: a, start: x}\n";
  EXPECT_THAT(faults_of(one + "---\n" + one + "---\n"),
              ElementsAre(HasSubstr("f.yaml:4: spec.start"), HasSubstr("f.yaml:9: spec.start")));
}

TEST(Manifest, BoundsDepthSizeAndCount) {
  EXPECT_THAT(faults_of(std::string(5000, '[')), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(faults_of("a: " + std::string(40, '[') + std::string(40, ']')),
              testing::Contains(HasSubstr("is nested deeper than 32 levels")));
  EXPECT_THAT(faults_of(std::string((1 << 20) + 1, ' ')),
              ElementsAre(HasSubstr("is larger than 1048576 bytes")));
  std::string many = "a: [0";
  for (int i = 0; i < 60'000; ++i) many += ",0";
  EXPECT_THAT(faults_of(many + "]"), testing::Contains(HasSubstr("has more than 50000 values")));
  std::string routes = "  calls: [a";
  for (int i = 0; i < 100; ++i) routes += ",a" + std::to_string(i);
  EXPECT_THAT(faults_of_spec(routes + "]\n"),
              ElementsAre(HasSubstr("spec.calls: has 101 entries, allowed are 64")));
}

TEST(ManifestJson, ComesBackTheSame) {
  const auto read = parse_yaml("f", std::string(kHead) + R"(
spec:
  binary: ./hello
  settings: {B: "2", A: "ü\"\n"}
  timeout: 90s
  scaling: {min: 0, idle: 60s}
  resources: {memory: 64Mi, cpu: 1.5}
  bindings: [{name: r, redis: {keyPrefix: "x:"}}]
  bodyMax: 1000
)");
  ASSERT_EQ(to_string(read.faults), "");
  const std::string json = to_json(read.manifests[0].function);
  EXPECT_EQ(json,
            "{\"apiVersion\":\"subito.dev/v1\",\"kind\":\"Function\",\"metadata\":{\"name\":"
            "\"hello\"},\"spec\":{\"binary\":\"./hello\",\"settings\":{\"A\":\"ü\\\"\\n\",\"B\":"
            "\"2\"},\"timeout\":\"90s\",\"scaling\":{\"min\":0,\"idle\":\"1m\"},\"resources\":{"
            "\"memory\":\"64Mi\",\"cpu\":\"1500m\"},\"bindings\":[{\"name\":\"r\",\"redis\":{"
            "\"keyPrefix\":\"x:\"}}],\"bodyMax\":\"1000\"}}");
  const auto back = from_json(json);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), json);
}

TEST(ManifestJson, RefusesWhatYamlRefusesAndItsOwnFaults) {
  EXPECT_THAT(from_json("{").error().message, HasSubstr("is not JSON"));
  EXPECT_THAT(from_json("[]").error().message, HasSubstr("is a list, must be a mapping"));
  EXPECT_THAT(from_json(std::string(100'000, '[')).error().message, HasSubstr("nested deeper"));
  EXPECT_THAT(from_json(R"({"kind":"Function","kind":"Function"})").error().message,
              HasSubstr("kind: is there twice"));
}

TEST(Manifest, ReadsRolloutsAsADeploymentOfKubernetesWritesThem) {
  const auto read = [](const std::string& rollout) {
    return parse_yaml("f", std::string(kHead) + "spec: {binary: a, rollout: " + rollout + "}");
  };
  Function function = read("{strategy: rolling, maxSurge: 1, maxUnavailable: 0%, revisionsKept: 0}")
                          .manifests.at(0)
                          .function;
  apply_defaults(function);
  EXPECT_EQ(function.spec().rollout().strategy(), ROLLING);
  EXPECT_EQ(function.spec().rollout().max_surge(), "1");
  EXPECT_EQ(function.spec().rollout().revisions_kept(), 0);
  EXPECT_THAT(to_json(function), testing::HasSubstr(R"("strategy":"rolling")"));
  EXPECT_EQ(to_string(read("{maxSurge: 0, maxUnavailable: 0}").faults),
            "f:4: spec.rollout.maxUnavailable: is 0 as maxSurge is: then no pod may come or go; "
            "raise one of them");
  for (const char* wrong : {"-1", "101%", "1001", "a", "'%'", "''", "1.5"}) {
    EXPECT_THAT(to_string(read(std::string("{maxSurge: ") + wrong + "}").faults),
                testing::HasSubstr("allowed is 0 to 1000 or 0% to 100%"))
        << wrong;
  }
  EXPECT_THAT(to_string(read("{strategy: at_once}").faults),
              testing::HasSubstr("allowed is one of at-once, rolling"));
}

TEST(Defaults, FillInWhatIsAbsentAndKeepZero) {
  auto function =
      parse_yaml("f", std::string(kHead) +
                          "spec: {binary: a, calls: [stock], breakers: [{call: stock, window: "
                          "1m}], scaling: {idle: 0s}, bindings: [{name: "
                          "r, redis: {}}], triggers: [{name: t, path: /, stream: "
                          "{key: k}}, {name: d, path: /, due: {key: k}}]}")
          .manifests.at(0)
          .function;
  apply_defaults(function);
  EXPECT_EQ(function.spec().scaling().idle_ms(), 0);
  EXPECT_EQ(function.spec().scaling().max(), kScalingMax);
  EXPECT_EQ(function.spec().timeout_ms(), kTimeoutMs);
  EXPECT_EQ(function.spec().bindings(0).redis().key_prefix(), "hello:");
  EXPECT_EQ(function.metadata().namespace_(), "default");
  EXPECT_EQ(function.spec().breakers(0).failures(), kBreakerFailures);
  EXPECT_EQ(function.spec().breakers(0).window_ms(), 60'000);
  EXPECT_TRUE(function.spec().breakers(0).has_slow_ms());
  EXPECT_TRUE(function.spec().has_ingress());
  EXPECT_EQ(function.spec().auth(), NONE);
  EXPECT_EQ(function.spec().triggers(0).deliveries(), kTriggerDeliveries);
  EXPECT_EQ(function.spec().triggers(0).binding(), "r");
  EXPECT_EQ(function.spec().triggers(0).stream().in_flight(), kStreamInFlight);
  EXPECT_EQ(function.spec().triggers(0).stream().batch(), kStreamBatch);
  EXPECT_EQ(function.spec().triggers(1).due().in_flight(), kDueInFlight);
  EXPECT_EQ(to_string(parse_yaml("f", to_json(function)).faults), "");  // all within their rules
}

TEST(QualifiedNameTest, NamesANamespaceOnlyWhereItIsNotTheDefaultOne) {
  EXPECT_EQ(qualified_name("stock", "default"), "stock");
  EXPECT_EQ(qualified_name("stock", ""), "stock");
  EXPECT_EQ(qualified_name("stock", "shop"), "stock.shop");
}

TEST(QualifiedNameTest, SplitsIntoWhatItWasJoinedFrom) {
  EXPECT_EQ(split_qualified("stock"), (QualifiedName{"stock", "default"}));
  EXPECT_EQ(split_qualified("stock.shop"), (QualifiedName{"stock", "shop"}));
}

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "manifests-XXXXXX";
    ASSERT_NE(::mkdtemp(path_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ + "/" + name) << text;
  }
  std::string path_;
};

TEST_F(Folder, IsReadByNameAndOtherFilesAreLeftAlone) {
  write("b.yaml", std::string(kHead) + "spec: {binary: b}\n");
  write("a.yaml",
        "apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: a}\nspec: {binary: a}");
  write("readme.md", "{{{");
  const auto all = load({path_});
  ASSERT_EQ(to_string(all.faults), "");
  ASSERT_EQ(all.manifests.size(), 2U);
  EXPECT_EQ(all.manifests[0].function.metadata().name(), "a");
  EXPECT_EQ(all.manifests[0].binary_path(), path_ + "/a");
}

TEST_F(Folder, TellsWhatIsMissingAndWhatIsThereTwice) {
  EXPECT_THAT(to_string(load({path_}).faults),
              HasSubstr("is a folder without a manifest, function.yaml; `subito new NAME` writes"));
  EXPECT_THAT(to_string(load({path_ + "/x.yaml"}).faults), HasSubstr("does not exist"));
  write("a.yaml", std::string(kHead) + "spec: {binary: a}\n");
  write("b.yaml", std::string(kHead) + "spec: {binary: a}\n");
  EXPECT_THAT(to_string(load({path_}).faults),
              HasSubstr("/b.yaml:1: metadata.name: is 'hello' as in " + path_ + "/a.yaml:1"));
}

}  // namespace
}  // namespace subito::manifest
