// SPDX-License-Identifier: BSD-2-Clause-Patent

// Words that travel inside the shell, in the order a job meets them.
package esp_shell_pkg;
  import espalier_pkg::*;

  localparam int unsigned BeatBytes = 64;
  localparam int unsigned AxiIdWidth = 8;

  typedef logic [3:0]  queue_t;    // number of a queue pair
  typedef logic [15:0] index_t;    // ring index, free-running
  typedef logic [15:0] status_t;   // code word, espalier_pkg::Status*
  typedef logic [511:0] beat_t;    // byte 0 is bits [7:0]

  // AXI4 channels without their handshakes; every burst is INCR of 64-byte beats.
  typedef struct packed {
    logic [AxiIdWidth-1:0] id;
    logic [7:0]            len;    // beats - 1
    logic [63:0]           addr;
  } axi_address_t;
  typedef struct packed {
    logic [AxiIdWidth-1:0] id;
    logic                  last;
    logic [1:0]            resp;
    beat_t                 data;
  } axi_read_t;
  typedef struct packed {
    logic                 last;
    logic [BeatBytes-1:0] strb;
    beat_t                data;
  } axi_write_t;

  // What a queue's registers say; stable while the queue is enabled.
  typedef struct packed {
    logic        alive;            // enabled and not stopped
    logic [3:0]  submission_log2;
    logic [3:0]  completion_log2;
    logic [15:0] epoch;
    logic [63:0] submission_base;
    logic [63:0] completion_base;
    logic [63:0] window_base;
    logic [63:0] window_limit;
  } queue_config_t;

  // A ring entry as fetched.
  typedef struct packed {
    queue_t queue;
    logic   read_error;            // the AXI read failed
    logic   stale;                 // its phase is not this pass'
    logic   last;                  // the job's last entry
    logic   reserved;              // the job has a completion slot; without one it is dropped
    beat_t  data;
  } entry_t;

  // A stretch of host memory; `last` of its job and direction.  Length 0: nothing to move.
  typedef struct packed {
    logic        last;
    logic [15:0] length;
    logic [63:0] address;
  } segment_t;

  // A parsed job.  `failed`: it does not enter the engine and completes with `status`.
  typedef struct packed {
    queue_t      queue;
    logic        failed;
    status_t     status;
    logic [11:0] output_beats;     // most that the engine can answer with
    descriptor_t descriptor;
  } job_t;

  // What the write side must know of a job, in job order.
  typedef struct packed {
    queue_t      queue;
    logic        failed;
    status_t     status;
    logic [15:0] tag;
    logic [15:0] epoch;
    logic [15:0] ticket;
    logic [15:0] room;             // octets of destination
    logic [11:0] output_beats;
  } pending_t;

  // The engine's answer.
  typedef struct packed {
    logic [7:0]  tos;
    logic [7:0]  next_header;
    logic [15:0] length;
    logic [15:0] status;
    logic [15:0] ticket;
  } result_t;

  // A finished job on its way to the completion ring; `writes`: not before its write responses.
  typedef struct packed {
    queue_t      queue;
    logic        writes;
    logic [15:0] tag;
    logic [15:0] epoch;
    status_t     status;
    logic [15:0] length;
    logic [7:0]  next_header;
    logic [7:0]  tos;
  } finished_t;

  // A read burst's place in the reorder buffer.
  typedef struct packed {
    logic        last;             // the job's last burst
    logic [5:0]  offset;           // of the first octet in the first beat
    logic [12:0] bytes;
    logic [6:0]  beats;            // 0: a job without source
  } burst_t;

endpackage
