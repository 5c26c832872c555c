#include "runtime/node/refusals.h"

#include <gtest/gtest.h>

#include "deploy/manifest/defaults.h"

namespace subito::node {
namespace {

using scheduler::RefuseReason;
using std::chrono::seconds;

InvocationRecord record_of(const manifest::FunctionSpec& spec, Duration allowed) {
  manifest::Function function;
  function.mutable_metadata()->set_name("echo");
  *function.mutable_spec() = spec;
  manifest::apply_defaults(function);
  InvocationRecord record;
  record.revision = make_revision(FunctionId(1), RevisionId(1), 1, function, {"hash", "path"});
  record.deadline = record.arrived + allowed;
  return record;
}

TEST(Refusals, TellTheLimitWithItsValueAndItsField) {
  manifest::FunctionSpec spec;
  spec.mutable_scaling()->set_queue_limit(7);
  spec.mutable_scaling()->set_max(3);
  const InvocationRecord record = record_of(spec, seconds(30));
  const Failure full = refusal_of(record, RefuseReason::kQueueFull);
  EXPECT_EQ(full.status, 429);
  EXPECT_EQ(full.type, "queue-full");
  EXPECT_EQ(full.detail,
            "as many requests wait for this function as may (spec.scaling.queueLimit 7); try again "
            "later");
  EXPECT_EQ(refusal_of(record, RefuseReason::kQueueTimeout).detail,
            "no pod became free in 10s, and the function has as many as it can or may "
            "(spec.scaling.max 3); try again later");
  EXPECT_EQ(refusal_of(record, RefuseReason::kDeadline).detail,
            "no pod was free within spec.timeout 30s");
  EXPECT_EQ(deadline_passed(record).status, 504);
  EXPECT_EQ(deadline_passed(record).detail, "the function did not answer within spec.timeout 30s");
}

TEST(Refusals, BlameACallersDeadlineOnTheCaller) {
  const InvocationRecord record = record_of({}, seconds(2));
  EXPECT_EQ(deadline_passed(record).detail,
            "the function did not answer within the 2 s that its caller allows");
}

TEST(Refusals, TellHowLargeABodyMayBe) {
  manifest::FunctionSpec spec;
  spec.set_body_bytes_max(1 << 20);
  InvocationRecord record = record_of(spec, seconds(30));
  EXPECT_FALSE(fault_of(record));
  record.request.content_length = (1 << 20) + 1;
  ASSERT_TRUE(fault_of(record));
  EXPECT_EQ(fault_of(record)->status, 413);
  EXPECT_EQ(fault_of(record)->detail, "the body is larger than spec.bodyMax 1Mi");
}

TEST(Refusals, KeepThePathOfATriggerToTheTrigger) {
  manifest::FunctionSpec spec;
  manifest::Trigger& trigger = *spec.add_triggers();
  trigger.set_name("nightly");
  trigger.set_path("/jobs/nightly%20run");
  InvocationRecord record = record_of(spec, seconds(30));
  const auto status = [&](Origin origin, const std::string& path) {
    record.request.origin = origin;
    record.request.path = path;
    const auto failure = fault_of(record);
    return failure ? failure->status : 0;
  };
  for (const char* path : {"/jobs/nightly%20run", "/jobs/nightly run", "/%6aobs/n%69ghtly%20run",
                           "/jobs%2Fnightly%20run"}) {
    EXPECT_EQ(status(Origin::kClient, path), 403) << path;
    EXPECT_EQ(status(Origin::kFunction, path), 403) << path;
    EXPECT_EQ(status(Origin::kTrigger, path), 0) << path;
    EXPECT_EQ(status(Origin::kOperator, path), 0) << path;
  }
  for (const char* path : {"/", "/jobs", "/jobs/nightly%20run/", "/jobs/nightly%2520run"}) {
    EXPECT_EQ(status(Origin::kClient, path), 0) << path;
  }
  (void)status(Origin::kClient, "/jobs/nightly%20run");
  ASSERT_TRUE(fault_of(record));
  EXPECT_EQ(fault_of(record)->type, "trigger-path");
  EXPECT_EQ(fault_of(record)->detail,
            "the path is of trigger nightly alone; give what others may ask a path of its own, or "
            "deliver by hand with `subito invoke`");
}

TEST(Refusals, HaveNoLimitsOfAFunctionThatIsGone) {
  EXPECT_EQ(refusal_of(InvocationRecord(), RefuseReason::kFunctionGone).status, 404);
  EXPECT_EQ(refusal_of(InvocationRecord(), RefuseReason::kQueueFull).detail,
            "as many requests wait for this function as may; try again later");
}

}  // namespace
}  // namespace subito::node
