/// \file
/// The program: parse, dispatch, print, exit code.
#pragma once

namespace sluice::cli {

int Main(int argc, char** argv);

}  // namespace sluice::cli
