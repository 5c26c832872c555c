// Traces: Azure's public traces in their own file formats, as workloads.
//
// 2019 (AzureFunctionsDataset2019.md): invocations_per_function_md.anon.dNN.csv has calls by
// minute, function_durations_percentiles.anon.dNN.csv run times in ms,
// app_memory_percentiles.anon.dNN.csv memory in MB. Only the first kind is needed. The calls of a
// minute are spread over it, one somewhere in each equal part; run times are log-normal with the
// mean and the quartiles given. 2021 (AzureFunctionsInvocationTrace2021.md): a row for each call:
// app,func,end_timestamp,duration, in seconds. What is called must be held in memory: 24 bytes a
// row.
#pragma once

#include <string>
#include <vector>

#include "bench/simulate/workload.h"
#include "runtime/base/result.h"

namespace subito::simulate {

// What a function is taken to need where its trace says nothing: the medians of ATC'20.
inline constexpr double kRunSecondsUnknown = 0.68;
inline constexpr std::uint64_t kMemoryUnknown = 170'000'000;

// `paths`: files, or folders that hold them. kProtocol: "FILE:LINE: reason".
Result<Plan> trace_2019_plan(const std::vector<std::string>& paths, std::uint64_t seed);
Result<Plan> trace_2021_plan(const std::string& file);

}  // namespace subito::simulate
