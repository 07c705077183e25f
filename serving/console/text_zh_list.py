"""Chinese: the words of the list of customers that its further filters, columns and views need."""

from __future__ import annotations

LIST = {
    "customers.more_filters": "更多筛选",
    "customers.columns": "显示的列",
    "customers.workbook": "下载 Excel",
    "views.title": "我的视图",
    "views.keep": "将此列表保存为视图",
    "views.name": "视图名称",
    "views.save": "保存",
    "views.forget": "删除视图“{name}”",
    "filter.lifecycle": "生命周期",
    "filter.relation": "关系",
    "filter.kind": "类型",
    "filter.owner": "负责人",
    "filter.account": "账户",
    "filter.complaint": "投诉",
    "filter.complaint.open": "未结",
    "filter.complaint.overdue": "已超时",
    "filter.churn_from": "流失概率下限（%）",
    "filter.churn_to": "流失概率上限（%）",
    "filter.value_from": "预期价值下限",
    "filter.value_to": "预期价值上限",
    "column.owner": "负责人",
    "column.kind": "类型",
    "column.account_id": "账户",
    "column.complaints_open": "未结投诉",
    "kind.consumer": "消费者",
    "kind.trader": "商家",
    "kind.supplier": "供应商",
}
