// What a run is told as: a table for people, JSON for programs, both as a committed report. Pure,
// but for write_report.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/cold_start.h"
#include "bench/machine.h"

namespace subito::bench {

struct ColdStartReport {
  const ColdStartOptions& options;
  const ColdStartResult& result;
  const Machine& machine;
  std::string command;
};

nlohmann::ordered_json to_json(const ColdStartReport& report);
std::string to_text(const ColdStartReport& report);
// Whether every promise that this run could tell about was kept.
bool promises_kept(const ColdStartReport& report);

// FILE (Markdown) and the same path with .json.
Status write_report(const std::string& file, const std::string& title, const std::string& text,
                    const nlohmann::ordered_json& json);

}  // namespace subito::bench
