using System.Text;
using Qmp.Schema.Model;
using Qmp.Schema.Parsing;

namespace Qmp.Schema.Generator;

/// <summary>A class for a struct or union: properties, a strict reader, and a writer in QEMU's order of members.</summary>
internal static class ObjectEmitter
{
    public static void Emit(CodeWriter code, ObjectType type, string name, string otherwise, Documentation? documentation = null)
    {
        var text = documentation ?? type.Documentation;
        code.Line();
        code.Document("summary", text?.Body, otherwise);
        code.Open($"public sealed class {name} : IQapiWritable");
        foreach (var member in type.Members)
        {
            var required = member.IsOptional ? "" : "required ";
            code.Document("summary", Text(type, text, member.Name), $"Member <c>{member.Name}</c>.");
            code.Line($"public {required}{TypeExpressions.Name(member.Type)}{(member.IsOptional ? "?" : "")} {CSharpNames.Property(member.Name, name)} {{ get; set; }}");
        }

        foreach (var branch in PropertyBranches(type))
        {
            code.Document("summary", null, $"Members when <c>{type.Discriminator!.Name}</c> is <c>{branch.Name}</c>.");
            code.Line($"public {CSharpNames.Type(branch.Type)}? {BranchProperty(type, branch, name)} {{ get; set; }}");
        }

        EmitRead(code, type, name);
        code.Line("/// <inheritdoc/>");
        code.Open("public void Write(QapiWriter writer)");
        code.Line("writer.BeginObject();");
        EmitWrite(code, [.. type.Members.Select(member => (member, "this." + CSharpNames.Property(member.Name, name)))], type, "this", name, 0);
        code.Line("writer.EndObject();");
        code.Close();
        code.Close();
    }

    private static string? Text(ObjectType type, Documentation? documentation, string member)
    {
        for (var owner = type; owner != null; owner = owner.Base)
        {
            var text = owner == type ? documentation : owner.Documentation;
            if (text?.Members.TryGetValue(member, out var found) == true)
            {
                return found;
            }
        }

        return null;
    }

    // A branch without members has no property.
    private static IEnumerable<Branch> PropertyBranches(ObjectType type) => type.Branches.Where(branch => !branch.Type.IsEmpty);

    // What nobody sets need not be there either.
    private static bool HasOptionalMembersOnly(ObjectType type) => !type.IsUnion && type.Members.All(member => member.IsOptional);

    private static string BranchProperty(ObjectType type, Branch branch, string owner)
    {
        var property = CSharpNames.Property(branch.Name, owner);
        return type.Members.Any(member => CSharpNames.Property(member.Name, owner) == property) ? property + "Branch" : property;
    }

    private static void EmitRead(CodeWriter code, ObjectType type, string name)
    {
        code.Line("/// <summary>Takes a value of this type from a reader, strictly.</summary>");
        code.Open($"public static {name} Read(ref QapiReader reader)");
        code.Line("var outer = reader.BeginObject();");
        code.Line("var result = ReadMembers(ref reader);");
        code.Line("reader.EndObject(outer);");
        code.Line("return result;");
        code.Close();
        code.Line();
        code.Open($"internal static {name} ReadMembers(ref QapiReader reader)");
        code.Open($"var result = new {name}");
        foreach (var member in type.Members)
        {
            var key = CSharpNames.Literal(member.Name) + "u8";
            var value = member.IsOptional
                ? $"reader.Optional({key}) ? {TypeExpressions.Read(member.Type, "reader")} : null"
                : TypeExpressions.Read(member.Type, $"reader.Member({key})");
            code.Line($"{CSharpNames.Property(member.Name, name)} = {value},");
        }

        code.Close("};");
        if (PropertyBranches(type).Any())
        {
            code.Open($"switch (result.{CSharpNames.Property(type.Discriminator!.Name, name)})");
            foreach (var branch in PropertyBranches(type))
            {
                code.Line($"case {type.Discriminator.Type.Name}.{CSharpNames.Pascal(branch.Name)}: result.{BranchProperty(type, branch, name)} = {CSharpNames.Type(branch.Type)}.ReadMembers(ref reader); break;");
            }

            code.Close();
        }

        code.Line("return result;");
        code.Close();
        code.Line();
    }

    // The members of a branch stand among those of the base, so each branch has an order of its own.
    private static void EmitWrite(CodeWriter code, List<(Member Member, string Value)> members, ObjectType type, string owner, string ownerType, int depth)
    {
        if (!PropertyBranches(type).Any())
        {
            EmitMembers(code, members);
            return;
        }

        code.Open($"switch ({owner}.{CSharpNames.Property(type.Discriminator!.Name, ownerType)})");
        foreach (var branch in PropertyBranches(type))
        {
            var local = "branch" + depth;
            var property = BranchProperty(type, branch, ownerType);
            code.Open($"case {type.Discriminator.Type.Name}.{CSharpNames.Pascal(branch.Name)}:");
            var absent = HasOptionalMembersOnly(branch.Type)
                ? $"new {CSharpNames.Type(branch.Type)}()"
                : $"throw new global::System.InvalidOperationException(\"{property} is not set\")";
            code.Line($"var {local} = {owner}.{property} ?? {absent};");
            List<(Member, string)> all = [.. members, .. branch.Type.Members.Select(member => (member, $"{local}.{CSharpNames.Property(member.Name, branch.Type.Name)}"))];
            EmitWrite(code, all, branch.Type, local, branch.Type.Name, depth + 1);
            code.Line("break;");
            code.Close();
        }

        code.Open("default:");
        EmitMembers(code, members);
        code.Line("break;");
        code.Close();
        code.Close();
    }

    private static void EmitMembers(CodeWriter code, List<(Member Member, string Value)> members)
    {
        foreach (var index in QapiNameOrder.Sort(members.Count, i => Encoding.UTF8.GetBytes(members[i].Member.Name)))
        {
            var (member, value) = members[index];
            var name = $"writer.Name({CSharpNames.Literal(member.Name)}u8); ";
            code.Line(member.IsOptional
                ? $"if ({value} is {{ }} value{index}) {{ {name}{TypeExpressions.Write(member.Type, "value" + index)} }}"
                : name + TypeExpressions.Write(member.Type, value));
        }
    }
}
