// SPDX-License-Identifier: BSD-2-Clause-Patent
// The card's AXI4-Lite registers: 32 bits each, 64 KiB of space, little-endian.
//
// Nothing here is read or written per packet: one doorbell write per batch is all the steady state
// needs (D5). Offsets 0x00-0x0f stay free: XRT keeps ap_ctrl there, and this kernel is
// user-managed.
#ifndef ESPALIER_SPEC_REGISTERS_H
#define ESPALIER_SPEC_REGISTERS_H

#include "espalier/spec/layout.h"

namespace espalier {
namespace spec {

constexpr std::uint32_t kMagic = 0x4c505345u;   ///< "ESPL" in memory order.
constexpr std::uint32_t kInterfaceVersion = 1;  ///< Counts incompatible register changes.
constexpr std::uint32_t kRegisterSpaceBytes = 0x10000;
constexpr std::uint32_t kQueueBlock = 0x1000;  ///< First queue's block.
constexpr std::uint32_t kQueueStride = 0x100;  ///< From one queue's block to the next.
constexpr unsigned kMaxQueues = 16;

// R(name, offset, access, doc): global registers.  Access: ro, rw, w1c (write one to clear), wo.
#define ESPALIER_REGISTERS(R)                                                            \
  R(magic, 0x010, ro, "kMagic.")                                                         \
  R(version, 0x014, ro, "kInterfaceVersion.")                                            \
  R(layout_hash_lo, 0x018, ro,                                                           \
    "kLayoutHash, low half: opening a card with another hash is refused.")               \
  R(layout_hash_hi, 0x01c, ro, "kLayoutHash, high half.")                                \
  R(capabilities, 0x020, ro, "CapabilityBits.")                                          \
  R(slots, 0x024, ro, "SA slots.")                                                       \
  R(max_packet, 0x028, ro, "Longest source or result in octets.")                        \
  R(queues, 0x02c, ro, "Queue pairs.")                                                   \
  R(control, 0x030, rw, "ControlBits.")                                                  \
  R(state, 0x034, ro, "StateBits.")                                                      \
  R(errors, 0x038, w1c, "ErrorBits, sticky.")                                            \
  R(clock_khz, 0x03c, ro, "Kernel clock in kHz; 0 if unknown (simulation).")             \
  R(cycles_lo, 0x100, ro, "Cycles since reset.  Reading a _lo latches its _hi.")         \
  R(cycles_hi, 0x104, ro, "High half.")                                                  \
  R(packets_lo, 0x108, ro, "Jobs completed, any status.")                                \
  R(packets_hi, 0x10c, ro, "High half.")                                                 \
  R(source_bytes_lo, 0x110, ro, "Octets read from sources.")                             \
  R(source_bytes_hi, 0x114, ro, "High half.")                                            \
  R(destination_bytes_lo, 0x118, ro, "Octets written to destinations.")                  \
  R(destination_bytes_hi, 0x11c, ro, "High half.")                                       \
  R(failed_lo, 0x120, ro, "Jobs completed with a status other than ok.")                 \
  R(failed_hi, 0x124, ro, "High half.")                                                  \
  R(engine_in_lo, 0x128, ro, "Cycles a beat entered the engine.")                        \
  R(engine_in_hi, 0x12c, ro, "High half.")                                               \
  R(engine_out_lo, 0x130, ro, "Cycles a beat left the engine.")                          \
  R(engine_out_hi, 0x134, ro, "High half.")                                              \
  R(starved_lo, 0x138, ro, "Cycles the engine waited for input while jobs were queued.") \
  R(starved_hi, 0x13c, ro, "High half.")                                                 \
  R(blocked_lo, 0x140, ro, "Cycles the engine's output waited for the write port.")      \
  R(blocked_hi, 0x144, ro, "High half.")

// Registers of queue q, at kQueueBlock + q * kQueueStride + offset.
#define ESPALIER_QUEUE_REGISTERS(R)                                                         \
  R(submission_base_lo, 0x00, rw, "IO address of the submission ring, 64-byte aligned.")    \
  R(submission_base_hi, 0x04, rw, "High half.")                                             \
  R(completion_base_lo, 0x08, rw, "IO address of the completion ring, 64-byte aligned.")    \
  R(completion_base_hi, 0x0c, rw, "High half.")                                             \
  R(submission_log2, 0x10, rw, "log2 of the submission ring's entries, 1 to 15.")           \
  R(completion_log2, 0x14, rw, "log2 of the completion ring's entries, 2 to 15.")           \
  R(window_base_lo, 0x18, rw, "Lowest IO address a job of this queue may name.")            \
  R(window_base_hi, 0x1c, rw, "High half.")                                                 \
  R(window_limit_lo, 0x20, rw, "First IO address past the window.")                         \
  R(window_limit_hi, 0x24, rw, "High half.")                                                \
  R(epoch, 0x28, rw, "Epoch a descriptor must carry.")                                      \
  R(enable, 0x2c, rw,                                                                       \
    "1 runs the queue from index 0, once it is idle; 0 stops it.  The registers above are " \
    "fixed while 1.")                                                                       \
  R(doorbell, 0x30, wo, "Submission producer index, free-running modulo 2^16.")             \
  R(credit, 0x34, wo, "Completion consumer index, free-running modulo 2^16.")               \
  R(queue_state, 0x38, ro, "QueueStateBits.")                                               \
  R(queue_error, 0x3c, ro, "Why the queue was stopped: a status code, 0 if it was not.")    \
  R(fetched, 0x40, ro, "Submission consumer index.")                                        \
  R(completed, 0x44, ro, "Completion producer index.")                                      \
  R(outstanding, 0x48, ro, "Submission entries fetched and not answered.")

enum ControlBits : std::uint32_t {
  kControlReset =
      1u << 0,  ///< Soft reset while 1: drops all jobs, wipes every slot; see kStateReset.
  kControlDrain = 1u << 1,  ///< While 1 no descriptor is fetched; see kStateDrained.
};
enum StateBits : std::uint32_t {
  kStateReady = 1u << 0,  ///< All slots are wiped, queues may run.
  kStateReset = 1u << 1,  ///< Reset acknowledged: no read or write of an earlier epoch is in flight
                          ///< or will start.
  kStateDrained = 1u << 2,  ///< Drain acknowledged: no job is in the card, no write in flight.
};
enum ErrorBits : std::uint32_t {
  kErrorAxiRead = 1u << 0,
  kErrorAxiWrite = 1u << 1,
  kErrorQueueStopped = 1u << 2,
  kErrorInternal = 1u << 3,
};
enum QueueStateBits : std::uint32_t {
  kQueueRunning = 1u << 0,
  kQueueStopped = 1u << 1,  ///< By an error of its own; disable and enable to clear.
  kQueueIdle = 1u << 2,     ///< Nothing outstanding.
};
enum CapabilityBits : std::uint32_t {
  kCapGcm = 1u << 0,
  kCapTunnel4 = 1u << 1,  ///< IPv4 in IPv4.
  kCapTunnelAny = 1u << 2,
  kCapTransport = 1u << 3,
  kCapUdp = 1u << 4,
  kCapEsn = 1u << 5,
  kCapTfc = 1u << 6,
  kCapGmac = 1u << 7,
  kCapImplicitIv = 1u << 8,
  kCapCbc = 1u << 9,
  kCapCtr = 1u << 10,
  kCapHmac = 1u << 11,
  kCapChaCha = 1u << 12,
  kCapAh = 1u << 13,
  kCapContinuation = 1u << 14,
};

enum class Access { ro, rw, wo, w1c };
struct Register {
  const char* name;
  std::uint32_t offset;
  Access access;
  const char* doc;
};

namespace reg {
enum : std::uint32_t {
#define ESPALIER_R(name, offset, access, doc) name = offset,
  ESPALIER_REGISTERS(ESPALIER_R)
};
enum Queue : std::uint32_t { ESPALIER_QUEUE_REGISTERS(ESPALIER_R) };
#undef ESPALIER_R
}  // namespace reg

#define ESPALIER_R(name, offset, access, doc) {#name, offset, Access::access, doc},
constexpr Register kRegisters[] = {ESPALIER_REGISTERS(ESPALIER_R)};
constexpr Register kQueueRegisters[] = {ESPALIER_QUEUE_REGISTERS(ESPALIER_R)};
#undef ESPALIER_R

/// Address of a queue's register.
constexpr std::uint32_t queue_register(unsigned queue, std::uint32_t offset) {
  return kQueueBlock + queue * kQueueStride + offset;
}

}  // namespace spec
}  // namespace espalier

#endif
