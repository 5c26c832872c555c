
#include <cerrno>

#include "deploy/api/api_testing.h"
#include "deploy/api/time_text.h"

namespace subito::api {
namespace {

using server::ExchangeId;
using server::FakeAnswer;
using testing::HasSubstr;
using Json = nlohmann::json;

TEST_F(Api, TheFileAndTheRoutesAreTheSame) {
  std::vector<std::string> served;
  for (const Route& route : routes()) {
    served.push_back(std::string(route.method) + " " + std::string(route.pattern));
    EXPECT_EQ(open_api().query_of(std::string(route.pattern), std::string(route.method)),
              route.query);
  }
  EXPECT_THAT(open_api().operations(), testing::UnorderedElementsAreArray(served));
}

TEST_F(Api, ReadsAreAnsweredAsTheFileSays) {
  EXPECT_EQ(ask("GET", "/v1/healthz").body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(Json::parse(ask("GET", "/v1/version").body).at("version"), "0.1.0");
  const Json functions = Json::parse(ask("GET", "/v1/functions").body);
  ASSERT_EQ(functions.at("items").size(), 2U);
  EXPECT_FALSE(functions["items"][0].contains("events"));
  const Json function = Json::parse(ask("GET", "/v1/functions/catalogue").body);
  EXPECT_EQ(function.at("events").size(), 2U);
  EXPECT_EQ(function.at("manifest").at("spec").at("timeout"), "30s");
  EXPECT_EQ(Json::parse(ask("GET", "/v1/functions/catalogue/revisions").body)["items"].size(), 2U);
  const Json pods = Json::parse(ask("GET", "/v1/pods").body);
  EXPECT_EQ(pods["items"][1]["startMode"], "fresh");
  EXPECT_EQ(pods["ready"]["sandboxes"], 8);
  EXPECT_EQ(Json::parse(ask("GET", "/v1/pods?function=stock").body)["items"].size(), 0U);
}

TEST_F(Api, ANodeIsReadyUnlessSomethingIsBadThatRequestsNeed) {
  plane_.node_conditions = {{"disk", false, false, "/data is full", 0},
                            {"redis", true, true, "", 0}};
  const FakeAnswer ready = ask("GET", "/v1/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(Json::parse(ready.body)["conditions"][0]["fault"], "/data is full");
  plane_.node_conditions[1] = {"redis", false, true, "it does not answer", 0};
  const FakeAnswer not_ready = ask("GET", "/v1/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(Json::parse(not_ready.body)["ready"], false);
}

TEST_F(Api, AFunctionIsReadyAsleepAndNotReadyWhenItsPodsFail) {
  EXPECT_EQ(ask("GET", "/v1/functions/catalogue/health").status, 200);
  FunctionView& view = plane_.functions.at("catalogue");
  view.state = FunctionState::kFailing;
  const FakeAnswer failing = ask("GET", "/v1/functions/catalogue/health");
  EXPECT_EQ(failing.status, 503);
  EXPECT_EQ(Json::parse(failing.body)["live"], true);
  view.out_of_service = true;
  EXPECT_EQ(Json::parse(ask("GET", "/v1/functions/catalogue/health").body)["live"], false);
  EXPECT_EQ(ask("GET", "/v1/functions/nobody/health").status, 404);
}

TEST_F(Api, HealthIsToldByQualifiedNameAndWithoutBelievingItsWords) {
  FunctionView& view = plane_.functions["stock.staging"];
  view.manifest.mutable_metadata()->set_name("stock");
  view.manifest.mutable_metadata()->set_namespace_("staging");
  view.state_words = "out of service: \xff";
  const Json health = Json::parse(ask("GET", "/v1/functions/stock.staging/health").body);
  EXPECT_EQ(health.at("name"), "stock.staging");
  EXPECT_EQ(health.at("state"), "out of service: \xef\xbf\xbd");
}

struct ProblemCase {
  const char* method;
  const char* target;
  const char* body;
  int status;
  const char* type;
};

class ApiProblem : public Api, public testing::WithParamInterface<ProblemCase> {};

TEST_P(ApiProblem, HasItsStatusAndType) {
  const FakeAnswer answer = ask(GetParam().method, GetParam().target, GetParam().body);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.field("content-type"), "application/problem+json");
  EXPECT_EQ(problem(answer), GetParam().type);
}

INSTANTIATE_TEST_SUITE_P(
    All, ApiProblem,
    testing::Values(
        ProblemCase{"GET", "/", "", 404, "no-such-path"},
        ProblemCase{"GET", "/v1/functions/", "", 404, "no-such-path"},
        ProblemCase{"GET", "/v1/functions/%00", "", 404, "no-such-path"},
        ProblemCase{"GET", "/v2/functions", "", 404, "no-such-path"},
        ProblemCase{"PATCH", "/v1/functions/x", "", 405, "method-not-allowed"},
        ProblemCase{"GET", "/v1/functions/nobody", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/functions/nobody/revisions", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/functions/nobody/logs", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/functions/nobody/logs?follow=true", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/pods?function=nobody", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/events/watch?function=nobody", "", 404, "not-found"},
        ProblemCase{"DELETE", "/v1/functions/nobody", "", 404, "not-found"},
        ProblemCase{"PUT", "/v1/functions/nobody/scale", "{\"min\":1}", 404, "not-found"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "[]", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{\"min\":-1}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{\"max\":0}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{\"max\":\"1\"}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{\"mix\":1}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/scale", "{\"min\":21}", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?tail=-1", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?tail=10001", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?since=now", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?follow=maybe", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?tial=1", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?tail=1&tail=2", "", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/logs?follow=true&previous=true", "", 400,
                    "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/nobody/dead-letters", "", 404, "not-found"},
        ProblemCase{"POST", "/v1/functions/nobody/dead-letters/replay", "{\"all\":true}", 404,
                    "not-found"},
        ProblemCase{"POST", "/v1/functions/stock/dead-letters/delete", "{}", 400,
                    "invalid-argument"},
        ProblemCase{"POST", "/v1/functions/stock/dead-letters/replay",
                    "{\"all\":true,\"id\":\"t/1-0\"}", 400, "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/nobody/rollout", "", 404, "not-found"},
        ProblemCase{"POST", "/v1/functions/nobody/rollout/pause", "", 404, "not-found"},
        ProblemCase{"POST", "/v1/functions/nobody/rollout/undo", "{}", 404, "not-found"},
        ProblemCase{"POST", "/v1/functions/stock/rollout/pause", "", 409, "failed-precondition"},
        ProblemCase{"POST", "/v1/functions/stock/rollout/resume", "", 409, "failed-precondition"},
        ProblemCase{"POST", "/v1/functions/stock/rollout/undo", "{\"toRevision\":0}", 400,
                    "invalid-argument"},
        ProblemCase{"GET", "/v1/functions/stock/revisions/9", "", 404, "not-found"},
        ProblemCase{"GET", "/v1/functions/stock/revisions/one", "", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/traffic", "{}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/traffic", "{\"traffic\":[]}", 400,
                    "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/traffic",
                    "{\"traffic\":[{\"revision\":1,\"percent\":99}]}", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/stock/traffic",
                    "{\"traffic\":[{\"revision\":1,\"percent\":50},"
                    "{\"revision\":1,\"percent\":50}]}",
                    400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/functions/nobody/traffic",
                    "{\"traffic\":[{\"revision\":1,\"percent\":100}]}", 404, "not-found"},
        ProblemCase{"GET", "/v1/artefacts/abc", "", 400, "invalid-argument"},
        ProblemCase{"PUT", "/v1/artefacts/..%2f..%2fx", "x", 400, "invalid-argument"},
        ProblemCase{"PUT",
                    "/v1/artefacts/"
                    "0000000000000000000000000000000000000000000000000000000000000000",
                    "x", 400, "invalid-argument"},
        ProblemCase{"GET",
                    "/v1/artefacts/"
                    "0000000000000000000000000000000000000000000000000000000000000000",
                    "", 404, "not-found"},
        ProblemCase{"POST", "/v1/functions/hello/deploy", "{", 400, "invalid-argument"},
        ProblemCase{"POST", "/v1/functions/hello/deploy", "{\"manifest\":{}}", 400,
                    "invalid-argument"},
        ProblemCase{"POST", "/v1/functions/hello/deploy",
                    "{\"manifest\":{},\"artefact\":\"x\",\"check\":1}", 400, "invalid-argument"},
        ProblemCase{"POST", "/v1/functions/hello/deploy", "{\"manifest\":{},\"artefact\":\"x\"}",
                    422, "manifest-invalid"}));

TEST_F(Api, DeploysWithDefaultsAfterTheBinaryWasPut) {
  const std::string hash = put(sample_binary("static"));
  EXPECT_EQ(ask("GET", "/v1/artefacts/" + hash).status, 200);
  const Json receipt =
      Json::parse(ask("POST", "/v1/functions/hello/deploy", deploy_body(hash)).body);
  EXPECT_EQ(receipt.at("revision"), 1);
  EXPECT_EQ(receipt.at("startMicros"), 1100);
  EXPECT_EQ(plane_.last_artefact, hash);
  EXPECT_TRUE(plane_.last_deploy_options.check);
  EXPECT_EQ(plane_.functions["hello"].manifest.spec().timeout_ms(), 30'000);
}

TEST_F(Api, ABinaryThatTheDiskHasDamagedIsToBeSentAgainWhichMendsIt) {
  const std::string bytes = sample_binary("static"), target = "/v1/artefacts/" + put(bytes);
  const std::string path = store_->artefact_path(hash_of(bytes)).value();
  std::ofstream(path, std::ios::in | std::ios::binary).write("damage", 6);
  const auto damaged = ask("GET", target);
  EXPECT_EQ(damaged.status, 404);
  EXPECT_THAT(damaged.body, HasSubstr("damaged; send it again"));
  put(bytes);
  EXPECT_EQ(ask("GET", target).status, 200);
}

TEST_F(Api, RefusesToDeployWhatCannotRun) {
  const std::string good = put(sample_binary("static"));
  FakeAnswer answer = ask("POST", "/v1/functions/hello/deploy", deploy_body(std::string(64, '0')));
  EXPECT_EQ(problem(answer), "artefact-missing");
  answer = ask("POST", "/v1/functions/hello/deploy", deploy_body(good, "other"));
  EXPECT_EQ(problem(answer), "manifest-invalid");
  answer = ask("POST", "/v1/functions/hello/deploy", deploy_body(good, "hello", R"({"start":1})"));
  EXPECT_THAT(answer.body, HasSubstr("spec.binary: is missing"));
  EXPECT_THAT(answer.body,
              HasSubstr("spec.start: is '1', allowed is one of pooled, fresh, template"));
  const std::string dynamic = put(sample_binary("dynamic"));
  answer = ask("POST", "/v1/functions/hello/deploy", deploy_body(dynamic));
  EXPECT_EQ(problem(answer), "binary-refused");
  EXPECT_THAT(answer.body, HasSubstr("check binary of hello: is linked dynamically"));
  EXPECT_EQ(plane_.pending(), 0U);
}

TEST_F(Api, AFailedDeployTellsTheLastLogsAndWhatStays) {
  plane_.deploy_failure.error = {ErrorCode::kUnavailable, "start pod: exited with status 1", 0};
  plane_.deploy_failure.last_logs = plane_.records;
  plane_.deploy_failure.current_revision = 3;
  const FakeAnswer answer =
      ask("POST", "/v1/functions/hello/deploy", deploy_body(put(sample_binary("static"))));
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(problem(answer), "deploy-failed");
  EXPECT_EQ(Json::parse(answer.body).at("lastLogs").size(), 2U);
  EXPECT_EQ(Json::parse(answer.body).at("currentRevision"), 3);
}

TEST_F(Api, BlamesTheManifestForWhatTheNodeRefusesOfIt) {
  plane_.deploy_failure.error = {ErrorCode::kInvalidArgument,
                                 "deploy hello: spec.routes[0].path: add route /x: taken", 0};
  const FakeAnswer answer =
      ask("POST", "/v1/functions/hello/deploy", deploy_body(put(sample_binary("static"))));
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(problem(answer), "manifest-invalid");
}

TEST_F(Api, SaysThatTheDiskIsFullAndBlamesNoManifestForIt) {
  plane_.deploy_failure.error = errno_error("commit revision", ENOSPC);
  const FakeAnswer deploy =
      ask("POST", "/v1/functions/hello/deploy", deploy_body(put(sample_binary("static"))));
  EXPECT_EQ(deploy.status, 507);
  EXPECT_EQ(problem(deploy), "insufficient-storage");
  EXPECT_EQ(problem_of(errno_error("store artefact", ENOSPC)).status, 507);
}

TEST_F(Api, SaysWhenABinaryCannotBeStored) {
  std::filesystem::remove_all(folder_ + "/artefacts");  // somebody tidied up too much
  const std::string target = "/v1/artefacts/" + hash_of("x");
  const ExchangeId id = server_->request("PUT", target, "x");
  EXPECT_EQ(server_->answer(id).status, 500);
  EXPECT_EQ(problem(server_->answer(id)), "internal-error");
  hold_to_the_file("PUT", target, server_->answer(id));
}

// For everything that asks the plane; each answer is held to the file by ask().
TEST_F(Api, AnswersEveryFailureOfThePlaneAsTheFileSays) {
  const std::string deploy = deploy_body(put(sample_binary("static")));
  const std::vector<std::vector<std::string>> operations = {
      {"GET", "/v1/functions/stock"},
      {"GET", "/v1/functions/stock/revisions"},
      {"GET", "/v1/pods?function=stock"},
      {"GET", "/v1/events/watch?function=stock"},
      {"GET", "/v1/functions/stock/logs"},
      {"GET", "/v1/exceptions?function=stock"},
      {"DELETE", "/v1/functions/stock"},
      {"PUT", "/v1/functions/stock/scale", R"({"min":1})"},
      {"GET", "/v1/functions/stock/revisions/1"},
      {"GET", "/v1/functions/stock/rollout"},
      {"POST", "/v1/functions/stock/rollout/pause"},
      {"POST", "/v1/functions/stock/rollout/resume"},
      {"POST", "/v1/functions/stock/rollout/undo", "{}"},
      {"PUT", "/v1/functions/stock/traffic", R"({"traffic":[{"revision":1,"percent":100}]})"},
      {"GET", "/v1/functions/stock/dead-letters"},
      {"POST", "/v1/functions/stock/dead-letters/replay", R"({"all":true})"},
      {"POST", "/v1/functions/stock/dead-letters/delete", R"({"id":"due/1-0"})"},
      {"POST", "/v1/functions/hello/deploy", deploy}};
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    for (const auto& operation : operations) {
      fill(plane_);
      plane_.deploy_failure = {};
      plane_.next_failure = Error{static_cast<ErrorCode>(code), "do it: it fails", 0};
      const FakeAnswer answer =
          ask(operation[0], operation[1], operation.size() > 2 ? operation[2] : "");
      EXPECT_FALSE(plane_.next_failure) << operation[1] << " does not ask the plane";
      EXPECT_GE(answer.status, 400) << operation[1];
      EXPECT_EQ(Json::parse(answer.body).at("detail"), "do it: it fails");
    }
  }
}

TEST_F(Api, RefusesWhatTheFileForbidsInARequest) {
  const Json deploy = Json::parse(deploy_body(put(sample_binary("static"))));
  const std::vector<std::tuple<std::string, std::string, std::string, Json>> requests = {
      {"PUT", "/v1/functions/{name}/scale", "/v1/functions/stock/scale", {{"min", 1}, {"max", 2}}},
      {"PUT",
       "/v1/functions/{name}/traffic",
       "/v1/functions/stock/traffic",
       {{"traffic", {{{"revision", 1}, {"percent", 100}}}}}},
      {"POST",
       "/v1/functions/{name}/rollout/undo",
       "/v1/functions/stock/rollout/undo",
       {{"toRevision", 1}}},
      {"POST", "/v1/functions/{name}/deploy", "/v1/functions/hello/deploy", deploy}};
  for (const auto& [method, path, target, good] : requests) {
    const auto forbidden = open_api().forbidden_bodies(path, method, good);
    EXPECT_GE(forbidden.size(), 4U);
    for (const Json& body : forbidden)
      EXPECT_EQ(ask(method, target, body.dump()).status, 400) << body;
    EXPECT_EQ(ask(method, target, good.dump()).status, 200);
  }
}

TEST_F(Api, AClientThatLeavesDuringADeployIsNotAnswered) {
  const std::string hash = put(sample_binary("static"));
  const ExchangeId id = server_->request("POST", "/v1/functions/hello/deploy", deploy_body(hash));
  handler_->on_abort(id);
  plane_.settle();
  EXPECT_EQ(server_->answer(id).status, 0);
}

TEST_F(Api, BoundsTheSizeAndTheDepthOfJson) {
  const ExchangeId id = server_->begin("PUT", "/v1/functions/stock/scale");
  const std::string piece(1 << 20, ' ');
  for (int i = 0; i < 4; ++i) server_->body_of_client(id, piece, false);
  EXPECT_EQ(server_->answer(id).status, 413);
  const FakeAnswer deep =
      ask("PUT", "/v1/functions/stock/scale",
          R"({"min":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}");
  EXPECT_THAT(deep.body, HasSubstr("nested deeper than 40 levels"));
}

TEST_F(Api, ScalesAndRemoves) {
  const Json scaled =
      Json::parse(ask("PUT", "/v1/functions/stock/scale", R"({"min":1,"max":3})").body);
  EXPECT_EQ(scaled.at("manifest").at("spec").at("scaling").at("min"), 1);
  EXPECT_EQ(ask("DELETE", "/v1/functions/stock").status, 204);
  EXPECT_EQ(ask("GET", "/v1/functions/stock").status, 404);
}

TEST_F(Api, TellsAndChangesWhichRevisionsServe) {
  const Json one = Json::parse(ask("GET", "/v1/functions/catalogue/revisions/2").body);
  EXPECT_EQ(one.at("message"), "cheaper listing");
  EXPECT_EQ(one.at("manifest").at("metadata").at("name"), "catalogue");
  const std::string path = "/v1/functions/catalogue";
  const Json split =
      Json::parse(ask("PUT", path + "/traffic",
                      R"({"traffic":[{"revision":1,"percent":90},{"revision":2,"percent":10}]})")
                      .body);
  EXPECT_EQ(split.at("serving").at(1).at("percent"), 10);
  plane_.rollouts["catalogue"].state = RolloutState::kProgressing;
  EXPECT_EQ(Json::parse(ask("POST", path + "/rollout/pause").body).at("state"), "paused");
  EXPECT_EQ(Json::parse(ask("POST", path + "/rollout/resume").body).at("state"), "progressing");
  EXPECT_EQ(Json::parse(ask("POST", path + "/rollout/undo").body).at("revision"), 1);
  EXPECT_EQ(ask("POST", path + "/rollout/undo", R"({"toRevision":2})").status, 200);
  EXPECT_EQ(plane_.last_undo, 2U);
}

TEST_F(Api, ListsReplaysAndDeletesDeadLetters) {
  const Json one = Json::parse(ask("GET", "/v1/functions/stock/dead-letters?trigger=due").body);
  ASSERT_EQ(one.at("items").size(), 1U);
  EXPECT_EQ(one["items"][0]["id"], "due/2-0");
  EXPECT_EQ(one["items"][0]["deliveries"], 10);
  const std::string path = "/v1/functions/stock/dead-letters";
  EXPECT_EQ(ask("POST", path + "/replay", R"({"id":"due/2-0"})").body, "{\"count\":1}\n");
  EXPECT_TRUE(plane_.last_choice.replay);
  EXPECT_EQ(ask("POST", path + "/delete", R"({"all":true})").body, "{\"count\":1}\n");
  EXPECT_FALSE(plane_.last_choice.replay);
  EXPECT_EQ(Json::parse(ask("GET", path).body).at("items").size(), 0U);
}

TEST_F(Api, MethodsOfAPathAreNamed) {
  EXPECT_EQ(ask("POST", "/v1/functions/x").field("allow"), "GET, DELETE");
}

TEST(SchemaCheck, SeesWhatIsWrong) {
  const auto wrong = [](const std::string& body) {
    return open_api().wrong_with("/v1/healthz", "GET", 200, "application/json", body);
  };
  EXPECT_EQ(wrong(R"({"status":"ok"})"), "");
  EXPECT_THAT(wrong(R"({"status":"bad"})"), HasSubstr("not in [\"ok\"]"));
  EXPECT_THAT(wrong(R"({"status":1})"), HasSubstr("is 1, not \"string\""));
  EXPECT_THAT(wrong("{}"), HasSubstr(".status: is missing"));
  EXPECT_THAT(wrong(R"({"status":"ok","more":1})"), HasSubstr(".more: is not described"));
  EXPECT_THAT(open_api().wrong_with("/v1/healthz", "GET", 302, "", ""), HasSubstr("status 302"));
  EXPECT_THAT(open_api().wrong_with("/v1/healthz", "GET", 404, "", ""), HasSubstr("content type"));
}

TEST(TimeText, ComesBackAndRefusesTheRest) {
  EXPECT_EQ(time_text(1'795'471'445'123'000'000), "2026-11-23T22:04:05.123Z");
  EXPECT_EQ(parse_time("2026-11-23T22:04:05.123Z"), 1'795'471'445'123'000'000);
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), 0);
  for (const char* text : {"", "now", "2026-11-23", "2026-13-23T22:04:05Z", "2026-02-30T00:00:00Z",
                           "2026-11-23T24:04:05Z", "2026-11-23T22:04:05", "2026-11-23T22:04:05.Z",
                           "2026-11-23T22:04:05+01:00", "9999-01-01T00:00:00Z"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace subito::api
