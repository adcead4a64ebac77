# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Counts a mapped module (Yosys' JSON) and walks it for its deepest path.  README.md has the rules."""

SUMS = ["luts", "ffs", "mem_bits", "dsps", "luts_logic", "luts_carry", "luts_ram", "luts_rom", "luts_srl"]

LUTRAM_DEPTH = 64   # a writable memory with more words is block RAM or UltraRAM: mem_bits
ROM_WORDS = 64      # words that one LUT6 holds of one bit
DSP_LEVELS = 4      # LUT levels that an unregistered multiplier stands for


def number(value):
    """A cell parameter: Yosys writes integers as binary strings."""
    return value if isinstance(value, int) else int(value.replace("x", "0"), 2)


def blocks(total, size):
    return -(-total // size)


class Cell:
    """What one cell costs and how signals pass through it."""

    def __init__(self, cell):
        self.type, self.parameters, self.pins = cell["type"], cell["parameters"], cell["connections"]
        # Modules of other files have no port directions; their names tell (lowRISC style).
        self.outputs = {p for p in self.pins if p in ("Y", "X", "CO", "Q", "RD_DATA") or p.endswith("_o")}

    def parameter(self, name):
        return number(self.parameters[name])

    @property
    def is_flip_flop(self):
        return "DFF" in self.type and self.type.startswith("$_") and not self.is_shift_register

    @property
    def is_shift_register(self):
        return self.type.startswith("$__SHREG")

    @property
    def is_instance(self):
        return not self.type.startswith("$") or self.type.startswith("$paramod")

    @property
    def is_rom(self):
        return self.type == "$mem_v2" and self.parameter("WR_PORTS") == 0

    @property
    def is_block_ram(self):
        return self.type == "$mem_v2" and not self.is_rom and self.parameter("SIZE") > LUTRAM_DEPTH

    def cost(self):
        """{which sum: how much}."""
        if self.is_flip_flop:
            return {"ffs": 1}
        if self.is_shift_register:
            return {"luts_srl": blocks(self.parameter("DEPTH"), 32)}
        if self.type == "$lut":
            return {"luts_logic": 1}
        if self.type == "$alu":
            return {"luts_carry": self.parameter("Y_WIDTH")}
        if self.type == "$fa":  # sum and carry of three bits: both outputs of one LUT
            return {"luts_logic": self.parameter("WIDTH")}
        if self.type == "$mul":
            return {"dsps": self.dsps()}
        if self.type == "$mem_v2":
            return self.memory()
        return {}

    def dsps(self):
        a, b = sorted((self.parameter("A_WIDTH"), self.parameter("B_WIDTH")))
        return blocks(b, 26) * blocks(a, 17)

    def memory(self):
        width, words, reads = (self.parameter(p) for p in ("WIDTH", "SIZE", "RD_PORTS"))
        if self.is_block_ram:
            return {"mem_bits": width * words}
        # Yosys takes the registers behind a read into the memory; of LUTs they are flip-flops.
        registers = width * bin(self.parameter("RD_CLK_ENABLE")).count("1")
        if self.is_rom:
            return {"luts_rom": reads * width * blocks(words, ROM_WORDS), "ffs": registers}
        per_block = 14 if words <= 32 else 7  # bits of a RAM32M16 or RAM64M8, 8 LUTs each
        return {"luts_ram": reads * 8 * blocks(width, per_block), "ffs": registers}

    def paths(self):
        """(output bit, the input bits it depends on, levels) for each combinational path through."""
        if self.type == "$lut":
            yield self.pins["Y"][0], self.pins["A"], 1
        elif self.type == "$alu":
            yield from self.carry_chain()
        elif self.type == "$fa":
            for i in range(self.parameter("WIDTH")):
                for output in ("X", "Y"):
                    yield self.pins[output][i], [self.pins[p][i] for p in "ABC"], 1
        elif self.type == "$mul":
            inputs = [b for p, bits in self.pins.items() if p not in self.outputs for b in bits]
            for bit in self.pins["Y"]:
                yield bit, inputs, DSP_LEVELS
        elif self.type == "$mem_v2":
            yield from self.asynchronous_reads()
        elif self.is_flip_flop or self.is_shift_register or self.is_instance:
            return
        elif self.type in ("$_NOT_", "$pos"):  # absorbed by what follows
            yield self.pins["Y"][0], self.pins["A"], 0
        elif not self.type.startswith("$assert"):
            raise RuntimeError(f"synth: no rule for a cell {self.type} in tools/synth/netlist.py")

    def carry_chain(self):
        below = [*self.pins["CI"], *self.pins["BI"]]
        for i, bit in enumerate(self.pins["Y"]):
            below = below + [self.pins[p][i] for p in ("A", "B") if i < len(self.pins[p])]
            for output in (bit, self.pins["X"][i], self.pins["CO"][i]):
                yield output, below, 1

    def asynchronous_reads(self):
        width, address = self.parameter("WIDTH"), self.parameter("ABITS")
        clocked = self.parameter("RD_CLK_ENABLE")
        for port in range(self.parameter("RD_PORTS")):
            if clocked >> port & 1:
                continue
            inputs = self.pins["RD_ADDR"][port * address:(port + 1) * address]
            for bit in self.pins["RD_DATA"][port * width:(port + 1) * width]:
                yield bit, inputs, 1

    def ends(self):
        """(input bits that end a path, levels behind them): all, of a cell that stores or is another
        module; before the register of a read from LUTs there is that read."""
        if self.is_flip_flop or self.is_shift_register or self.is_instance or self.type == "$mem_v2":
            for pin, bits in self.pins.items():
                if pin not in self.outputs and pin not in ("C", "RD_CLK", "WR_CLK"):
                    behind = pin == "RD_ADDR" and not self.is_block_ram and self.parameter("RD_CLK_ENABLE")
                    for bit in bits:
                        yield bit, 1 if behind else 0


def names(module):
    """Bit -> a readable name."""
    result = {}
    for name, net in module["netnames"].items():
        for i, bit in enumerate(net["bits"]):
            if isinstance(bit, int) and (bit not in result or not net.get("hide_name")):
                result[bit] = f"{name}[{i}]" if len(net["bits"]) > 1 else name
    return result


def levels(module, cells):
    """(levels of the deepest path, name of the register or port it ends at)."""
    drivers = {}
    for cell in cells:
        for output, inputs, cost in cell.paths():
            drivers[output] = (inputs, cost)
    depth = {}

    def visit(start):
        stack = [start]
        while stack:
            bit = stack[-1]
            if bit in depth or bit not in drivers:
                depth.setdefault(bit, 0)
                stack.pop()
                continue
            inputs, cost = drivers[bit]
            missing = [i for i in inputs if isinstance(i, int) and i not in depth]
            if missing:
                stack.extend(missing)
            else:
                depth[bit] = cost + max((depth[i] for i in inputs if isinstance(i, int)), default=-cost)
                stack.pop()
        return depth[start]

    named = names(module)
    ends = [(bit, 0, named.get(bit, "?")) for port, p in module["ports"].items() if p["direction"] == "output"
            for bit in p["bits"]]
    for cell in cells:
        target = next((named.get(b, "?") for p in ("Q", "RD_DATA") if p in cell.pins for b in cell.pins[p]), "?")
        ends += [(bit, behind, target) for bit, behind in cell.ends()]
    return max(((visit(bit) + behind, name) for bit, behind, name in ends if isinstance(bit, int)), default=(0, "-"))


def figures(module):
    """Figures of one module, its instances left out but listed."""
    result = dict.fromkeys(SUMS, 0)
    cells = [Cell(c) for c in module["cells"].values()]
    for cell in cells:
        for kind, amount in cell.cost().items():
            result[kind] += amount
    result["luts"] = sum(v for k, v in result.items() if k.startswith("luts_"))
    result["levels_max"], result["worst_path"] = levels(module, cells)
    result["instances"] = {name: c["type"] for name, c in module["cells"].items() if Cell(c).is_instance}
    return result
