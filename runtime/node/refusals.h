// Refusals: the answers that the node gives in place of a function, each with the limit that was
// reached, its value, and the field of the manifest that sets it. Pure functions.
#pragma once

#include <optional>

#include "runtime/gateway/invoker.h"
#include "runtime/node/invocation_record.h"
#include "scheduler/effects.h"

namespace subito::node {

// What the scheduler refused. A revision that is unknown (the function is gone) has no limits.
Failure refusal_of(const InvocationRecord& record, scheduler::RefuseReason reason);
// The deadline passed while a pod had the invocation.
Failure deadline_passed(const InvocationRecord& record);
Failure body_too_large(const Revision& revision);
// The path of a trigger is the trigger's own, however it is spelled: clients and functions get 403.
std::optional<Failure> trigger_fault_of(const Invocation& request, const Revision& revision);
// Why the node does not even ask the scheduler, if so: before any pod is started.
std::optional<Failure> fault_of(const InvocationRecord& record);

}  // namespace subito::node
