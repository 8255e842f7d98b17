/// \file
/// From Arguments to what the app takes.
#pragma once

#include <string>

#include "app/open_job.h"
#include "cli/options.h"

namespace sluice::cli {

/// The settings among the flags; a wrong value is kUsage with the flag's name.
Result<Settings> SettingsFrom(const Arguments& arguments);
/// What a job file may do besides being read.
JobRules RulesFrom(const Arguments& arguments);
/// The first argument, references in it replaced: a place, or a file.
Result<std::string> ArgumentOf(const Arguments& arguments);
/// Of copy, and of plan and check with two places.
Result<JobRequest> CopyRequest(const Arguments& arguments);
/// Of a job file.
Result<JobRequest> FileRequest(const Arguments& arguments);

/// What a single argument is meant to be, by its scheme, by what lies there, by its
/// ending.
enum class Subject { kJobFile, kSource, kDestination };
Subject SubjectOf(const std::string& argument);

}  // namespace sluice::cli
