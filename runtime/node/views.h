// Views: pods and functions as the control API shows them. Pure functions of what engine and
// scheduler know.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"
#include "runtime/node/pod_table.h"
#include "scheduler/view.h"

namespace subito::node {

// Where a client on this machine finds a gateway that listens there: "http://[::1]:8080" for "::".
std::string gateway_url(const std::string& host, std::uint16_t port);

manifest::StartMode to_api(pods::StartMode mode);
api::TemplateFacts to_api(const pods::TemplateView& view);
std::int64_t microseconds(Duration duration);

// "find function NAME: there is none; `subito get functions` lists what is there".
Status unknown_function(std::string_view name);

// `scheduled`: empty for a pod that the scheduler does not know (a deploy's check).
api::PodView pod_view(const Pod& pod, const std::optional<scheduler::PodView>& scheduled);
void sort_pods(std::vector<api::PodView>& pods);  // by function, then number

// The numbers of another revision of the function that has pods too.
void add_lane(scheduler::FunctionView& sum, const scheduler::FunctionView& other);
// All but what only the control plane knows: times, URL, events.
// `failed`: its requests that were answered 5xx.
api::FunctionView function_view(const Revision& revision, const scheduler::FunctionView& scheduled,
                                std::uint64_t failed, TimePoint now);

}  // namespace subito::node
