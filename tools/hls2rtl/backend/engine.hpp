// SPDX-License-Identifier: BSD-2-Clause-Patent
/// The stage graph of a dataflow function, and the FIFOs between its stages.
#pragma once
#include <string>
#include <vector>

#include "backend/stage.hpp"
#include "hwir/hwir.hpp"

namespace espalier::backend {

/// A FIFO between two stages, or a port of the engine.
struct Stream {
  std::string name;
  unsigned width = 0;     ///< bits
  unsigned depth = 0;     ///< words, as declared; 0: as many as needed
  bool external = false;  ///< a port of the engine
  hwir::SourceLoc loc;
};

struct Connection {
  std::string port;  ///< an input or output of the stage
  unsigned stream;   ///< index into Engine::streams
};

struct StageCall {
  std::string instance;
  unsigned stage = 0;  ///< index into Engine::stages
  std::vector<Connection> connections;
  hwir::SourceLoc loc;
};

struct Engine {
  std::string name;
  hwir::SourceLoc loc;
  std::vector<Stage> stages;
  std::vector<Stream> streams;
  std::vector<StageCall> calls;
};

/// What an esp_fifo between two stages needs.
struct Fifo {
  int writer = -1, reader = -1;  ///< calls; -1: outside
  int margin = 1;   ///< free slots that room_o promises: the writer's pipeline, and one
  int wait = 0;     ///< cycles a word waits for the slowest other way to the same reader
  int refill = 0;   ///< cycles after the reader in which the writer sets out again
  int minimum = 0;  ///< words without which the reader can't run every cycle
  int depth = 0;    ///< words it gets
};

struct FifoPlan {
  std::vector<Fifo> fifos;  ///< per stream
  std::vector<int> start;  ///< per call: cycle in which it takes what entered the engine in cycle 0
  int latency = 0;         ///< cycles from the engine's inputs to its last output
};

/// From which depth on esp_fifo lives in block RAM, and how long a word then is on its way.
inline constexpr int kDistributedDepth = 64;
inline int fifoLatency(int depth) {
  return depth > kDistributedDepth ? 3 : 1;
}

/// Words a FIFO has to hold, for each stream:
///   margin   what is in the writer's pipeline when room_o falls,
/// + latency  what is inside the FIFO while words run through it without a pause,
/// + the greater of
///   wait     what comes in while the slowest other way from a fork to the join is still empty,
///   refill   what leaves, after the reader had to stop, before the writer's next word is there.
/// So a stage that may run does run, at the start and after any back-pressure.
/// Throws hwir::Error: a declared depth below that, a cycle, a stream without writer or reader.
FifoPlan planFifos(const Engine& engine);

/// The top module: AXI4-Stream-style ports, stages, FIFOs.  It instantiates esp_fifo and esp_skid
/// (hw/common).
std::string emitTop(const Engine& engine, const FifoPlan& plan);

/// report.json: per stage and per FIFO.
std::string report(const Engine& engine, const FifoPlan& plan);
/// The same as a table for people.
std::string summary(const Engine& engine, const FifoPlan& plan);

}  // namespace espalier::backend
