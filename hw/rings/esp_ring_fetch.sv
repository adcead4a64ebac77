// SPDX-License-Identifier: BSD-2-Clause-Patent

// Fetches submission entries in batches.
//
// Purpose:       for each queue with published entries, in turn: one burst of up to MaxBatch entries, cut at
//                the ring's end, at a 4 KiB boundary and at what is published.  A burst is only read when
//                the entry cache has room for it, so read data never waits.
// Latency:       4 cycles per burst, which is at least one entry; under load bursts are full.
// Back-pressure: ar_* follows AXI4; quiesce_i lets a standing request finish and starts none.
// Reset:         synchronous.
module esp_ring_fetch
  import esp_shell_pkg::*;
#(
  parameter int unsigned Queues   = 4,    // queue pairs, 1..16
  parameter int unsigned MaxBatch = 16,   // entries of a burst, a power of two, 1..16
  parameter int unsigned CacheLog2 = 8    // log2 of the entries a queue's cache holds, > log2(MaxBatch)
) (
  input  logic                       clk_i,
  input  logic                       rst_i,
  input  logic                       quiesce_i,

  input  queue_config_t [Queues-1:0] config_i,
  input  index_t        [Queues-1:0] doorbell_i,
  input  index_t        [Queues-1:0] fetched_i,
  input  index_t        [Queues-1:0] taken_i,      // entries that left the cache
  output logic   [Queues-1:0][4:0]   fetch_o,      // entries whose read was just decided

  output logic                       ar_valid_o,
  input  logic                       ar_ready_i,
  output axi_address_t               ar_o,
  input  logic                       r_valid_i,    // an entry arrived
  output logic                       idle_o        // no request stands or is in flight
);
  if (MaxBatch > 16 || (MaxBatch & (MaxBatch - 1)) != 0) begin : gen_check_batch
    $error("esp_ring_fetch: MaxBatch must be a power of two up to 16");
  end

  localparam int unsigned SelectWidth = Queues > 1 ? $clog2(Queues) : 1;
  typedef logic [SelectWidth-1:0] select_t;

  typedef enum logic [1:0] {StPick, StSize, StCut, StIssue} state_e;
  state_e state_q;

  // Which queues want a burst, and the next of them in turn.
  logic [Queues-1:0] wants;
  for (genvar q = 0; q < int'(Queues); q++) begin : gen_wants
    index_t held;
    assign held     = fetched_i[q] - taken_i[q];
    assign wants[q] = config_i[q].alive && doorbell_i[q] != fetched_i[q] &&
                      held <= index_t'((1 << CacheLog2) - MaxBatch);
  end
  logic    any;
  select_t chosen, queue_q;
  esp_round_robin #(.Requests(Queues)) u_turn (
    .clk_i, .rst_i, .request_i(wants), .take_i(state_q == StPick && any && !quiesce_i),
    .any_o(any), .chosen_o(chosen)
  );

  // How many: entries published, then no more than fit the batch, the ring's end and the 4 KiB page.
  index_t      pending_q, index_q;
  logic [15:0] to_end_q;
  logic [4:0]  count_q;
  queue_config_t chosen_config;
  logic [15:0] mask, masked;
  logic [6:0]  to_page;
  logic [63:0] address, address_q;
  assign chosen_config = config_i[queue_q];
  assign mask    = (16'd1 << chosen_config.submission_log2) - 16'd1;
  assign masked  = index_q & mask;
  assign address = chosen_config.submission_base + {42'h0, masked, 6'h0};
  assign to_page = 7'd64 - {1'b0, address_q[11:6]};

  logic unused_config;
  assign unused_config = ^chosen_config;

  logic [4:0] limited;
  always_comb begin
    limited = 5'(MaxBatch);
    if (pending_q < 16'(limited)) limited = pending_q[4:0];
    if (to_end_q < 16'(limited))  limited = to_end_q[4:0];
    if (to_page < 7'(limited))    limited = to_page[4:0];
  end

  logic issue;   // the request register takes this burst
  assign issue = state_q == StIssue && !quiesce_i && (!ar_valid_o || ar_ready_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q    <= StPick;
      ar_valid_o <= 1'b0;
    end else begin
      case (state_q)
        StPick: if (any && !quiesce_i) state_q <= StSize;
        StSize: state_q <= StCut;
        StCut:  state_q <= StIssue;
        default: if (issue || quiesce_i) state_q <= StPick;
      endcase
      ar_valid_o <= issue || (ar_valid_o && !ar_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    case (state_q)
      StPick: begin
        queue_q   <= chosen;
        index_q   <= fetched_i[chosen];
        pending_q <= doorbell_i[chosen] - fetched_i[chosen];
      end
      StSize: begin
        to_end_q  <= mask - masked + 16'd1;
        address_q <= address;
      end
      StCut:  count_q  <= limited;
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      ar_o.addr <= address_q;
      ar_o.len  <= 8'(count_q) - 8'd1;
      ar_o.id   <= AxiIdWidth'(queue_q);
    end
  end

  logic [15:0] flying_q;   // entries asked for and not here
  assign idle_o = flying_q == '0;
  always_ff @(posedge clk_i) begin
    if (rst_i) flying_q <= '0;
    else       flying_q <= flying_q + (issue ? 16'(count_q) : 16'd0) - 16'(r_valid_i);
  end

  always_comb begin
    fetch_o = '0;
    if (issue) fetch_o[queue_q] = count_q;
  end
endmodule
