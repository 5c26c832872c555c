#include "deploy/manifest/fault.h"

namespace subito::manifest {

std::string to_string(const Fault& fault) {
  std::string text = fault.file;
  if (fault.line > 0) {
    if (text.empty()) text = "line";
    text += ":" + std::to_string(fault.line);
  }
  if (!text.empty()) text += ": ";
  if (!fault.field.empty()) text += fault.field + ": ";
  return text + fault.message;
}

std::string to_string(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += to_string(fault);
  }
  return text;
}

}  // namespace subito::manifest
