package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aliretry/aliretry/internal/openapi/catalogue"
)

// operation is one operation of a product.
type operation struct {
	product, version, action string

	roa     bool
	method  string
	path    string // ROA: the pattern
	token   catalogue.Token
	dryRun  catalogue.DryRun
	timeout int // seconds; 0: none of its own
	safety  catalogue.Safety
}

func (o *operation) String() string { return o.product + " " + o.version + " " + o.action }

// readServices returns the operations of the SDK, sorted, each once. A few products have
// two directories, an older one of which lacks parameters: what any of them has counts.
// Directories further down hold clients of other protocols, such as MNS.
func readServices(sdk string) ([]*operation, error) {
	files, err := filepath.Glob(filepath.Join(sdk, "services", "*", "*.go"))
	if err != nil {
		return nil, err
	}
	all := make(map[string]*operation)
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(src, []byte(".InitWithApiInfo(")) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		found, err := readFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, o := range found {
			if err := merge(all, o); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b *operation) int {
		return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.version, b.version), cmp.Compare(a.action, b.action))
	}), nil
}

func merge(all map[string]*operation, o *operation) error {
	known := all[o.String()]
	switch {
	case known == nil:
		all[o.String()] = o
	case known.roa != o.roa || known.path != o.path || known.method != "" && o.method != "" && known.method != o.method,
		known.token != catalogue.NoToken && o.token != catalogue.NoToken && known.token != o.token:
		return fmt.Errorf("%v is there twice, differently", o)
	default:
		known.method = cmp.Or(known.method, o.method)
		known.token = max(known.token, o.token)
		known.dryRun = max(known.dryRun, o.dryRun)
	}
	return nil
}

// readFile finds the operations of a file: functions that make a request, call
// InitWithApiInfo on it and set its Method.
func readFile(file *ast.File) (found []*operation, err error) {
	structs := make(map[string]*ast.StructType)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				structs[spec.Name.Name] = s
			}
		}
		return true
	})
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		o, err := readConstructor(f.Body)
		if err != nil {
			return nil, err
		}
		if o == nil {
			continue
		}
		var result *ast.StarExpr
		if f.Type.Results != nil {
			result, _ = f.Type.Results.List[0].Type.(*ast.StarExpr)
		}
		if result == nil {
			return nil, fmt.Errorf("%s makes no request", f.Name.Name)
		}
		if err := o.readParameters(structs[fmt.Sprint(result.X)]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name.Name, err)
		}
		found = append(found, o)
	}
	return found, nil
}

// methods are those that an operation may be given; without one it has the SDK's default,
// GET.
var methods = []string{"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// readConstructor returns the operation that a request is made for, nil if the function
// makes none.
func readConstructor(body *ast.BlockStmt) (o *operation, err error) {
	method := ""
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "InitWithApiInfo" {
				o, err = readInit(n.Args)
			}
		case *ast.AssignStmt:
			left, ok := n.Lhs[0].(*ast.SelectorExpr)
			if !ok || left.Sel.Name != "Method" {
				return true
			}
			method = "?"
			if right, ok := n.Rhs[0].(*ast.SelectorExpr); ok {
				method = right.Sel.Name // requests.POST is "POST"
			}
		}
		return true
	})
	if o != nil {
		o.method = method
	}
	if err == nil && o != nil && !slices.Contains(methods, method) {
		err = fmt.Errorf("%v is given a method by %q, which is new", o, method)
	}
	return o, err
}

// readInit reads the arguments of InitWithApiInfo: product, version, action and, for a
// ROA request alone, the path's pattern; then two that say nothing here.
func readInit(args []ast.Expr) (*operation, error) {
	texts := make([]string, len(args))
	for i, arg := range args {
		literal, ok := arg.(*ast.BasicLit)
		if !ok {
			return nil, fmt.Errorf("an argument of InitWithApiInfo is no literal")
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	switch len(texts) {
	case 5:
		return &operation{product: texts[0], version: texts[1], action: texts[2]}, nil
	case 6:
		return &operation{product: texts[0], version: texts[1], action: texts[2], roa: true, path: texts[3]}, nil
	}
	return nil, fmt.Errorf("InitWithApiInfo has %d arguments", len(texts))
}

// readParameters reads the tags of a request's fields.
func (o *operation) readParameters(request *ast.StructType) error {
	if request == nil {
		return fmt.Errorf("its request is not in its file")
	}
	o.token = catalogue.NoToken
	for _, field := range request.Fields.List {
		if field.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			return err
		}
		tag := reflect.StructTag(text)
		switch name, place := tag.Get("name"), tag.Get("position"); {
		case name == "DryRun" && (!o.roa || place == "Body"):
			o.dryRun = catalogue.UpperDryRun
		case name == "dryRun" && o.roa && place == "Query":
			o.dryRun = catalogue.LowerDryRun
		case name == "Dryrun": // pvtz BindZoneVpc alone: not worth a bit of every record
		case strings.EqualFold(name, "DryRun"):
			return fmt.Errorf("%v takes %s in its %s, which is new", o, name, place)
		case !strings.EqualFold(name, "ClientToken"):
		case name == "ClientToken" && place == "Query":
			o.token = catalogue.TokenInQuery
		case name == "ClientToken" && place == "Body" && !o.roa:
			o.token = catalogue.TokenInForm
		case name == "clientToken" && place == "Query" && o.roa:
			o.token = catalogue.LowerTokenQuery
		default:
			return fmt.Errorf("%v takes a token %s in its %s, which is new", o, name, place)
		}
	}
	return nil
}

// addTimeouts reads the SDK's private table: JSON text of seconds by product, in lower
// case, and action.
func addTimeouts(operations []*operation, name string) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	seconds := make(map[string]map[string]int)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "apiTimeouts" {
			return true
		}
		var text string
		if text, err = strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value); err == nil {
			err = json.Unmarshal([]byte(text), &seconds)
		}
		return false
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(seconds) == 0 {
		return fmt.Errorf("%s has no table of timeouts", name)
	}
	for _, o := range operations {
		o.timeout = seconds[strings.ToLower(o.product)][o.action]
	}
	return nil
}
