package mapping

import (
	"sync"

	"github.com/expr-lang/expr/vm"
)

// machine evaluates expressions over one Env. Machines are pooled: the stack and the variable table are reused.
type machine struct {
	vm   vm.VM
	vars map[string]any
	env  *Env
}

var machines = sync.Pool{New: func() any {
	return &machine{vm: vm.VM{MemoryBudget: memoryBudget}, vars: make(map[string]any, len(rootNames))}
}}

func newMachine(env *Env, roots rootSet) *machine {
	m := machines.Get().(*machine)
	m.env = env
	for i, name := range rootNames {
		if roots&(1<<i) != 0 {
			m.vars[name] = rootValue(env, 1<<i)
		}
	}
	return m
}

// release gives the machine back without holding on to what it computed with.
func (m *machine) release() {
	clear(m.vars)
	clear(m.vm.Stack[:cap(m.vm.Stack)])
	clear(m.vm.Variables)
	m.env = nil
	machines.Put(m)
}

func (m *machine) run(e *Expr) (any, error) {
	if e.path != nil {
		return e.path.eval(m.env), nil
	}
	v, err := m.vm.Run(e.program, m.vars)
	if err != nil {
		return nil, evalFault(e, err)
	}
	if numbers, ok := v.([]int); ok { // a range, 1..3
		return plainList(numbers), nil
	}
	return v, nil
}
